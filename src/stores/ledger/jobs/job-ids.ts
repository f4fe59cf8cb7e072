/** Identifiers of jobs: ULIDs, which sort by time of creation, also within one millisecond of one process. */

import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_CHARS = 16;

/** What a job's id looks like. */
export const JOB_ID = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** Makes ids; remembers the last one, so that the next in the same millisecond is greater. */
export function jobIds(): (at: number) => string {
  let lastAt = -1;
  let lastRandom = 0n;
  return (at) => {
    // The top bit stays clear, which leaves room to count up.
    lastRandom = at === lastAt ? lastRandom + 1n : BigInt(`0x${randomBytes(10).toString("hex")}`) >> 1n;
    lastAt = at;
    return base32(BigInt(at), 26 - RANDOM_CHARS) + base32(lastRandom, RANDOM_CHARS);
  };
}

function base32(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest >>= 5n) text = ALPHABET.charAt(Number(rest & 31n)) + text;
  return text;
}
