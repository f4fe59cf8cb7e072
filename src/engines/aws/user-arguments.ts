/**
 * UserArguments of a job: what is the same for all its tasks (invocation schema 2.0; at most 10, each 1–1,024 characters).
 */

import { decodeRowUpdates, encodeRowUpdates, type RowUpdates } from "../../domain/engines/row-updates.ts";

/** Characters of one argument's value at most. */
export const MOST_ARGUMENT_CHARACTERS = 1024;

export interface JobTerms {
  /** The job's consignment: ledger token. */
  readonly token: string;
  readonly sourceBucket: string;
  readonly sourcePrefix: string;
  readonly targetBucket: string;
  readonly targetPrefix: string;
  /** Epoch ms; no copy begins at or after it. Null: at any time. */
  readonly notAfter: number | null;
  /** An invocation lasts this long at least, ms: concurrency ÷ requests per second. */
  readonly leastMs: number;
  /** The table of the engine `lambda-copy-log`; null without it. */
  readonly copyLogs: string | null;
  /** What the function is to update after a copy; null: the service updates alone, or another function does. */
  readonly updates: RowUpdates | null;
}

/** The arguments for `terms`: values percent-encoded, so that any prefix can travel. May be longer than the limit. */
export function encodeTerms(terms: JobTerms): Record<string, string> {
  const updates = terms.updates === null ? null : encodeRowUpdates(terms.updates);
  const all = Object.entries({ v: "1", ...terms, updates }).filter(
    ([, value]) => value !== null && value !== "",
  );
  return Object.fromEntries(all.map(([name, value]) => [name, encodeURIComponent(String(value))]));
}

/** The terms in `given`; throws `RangeError` where they are not understood. */
export function decodeTerms(given: Readonly<Record<string, string>>): JobTerms {
  const text = (name: string) => decoded(name, given[name] ?? "");
  if (text("v") !== "1") throw new RangeError(`terms of version ${text("v") || "none"} are not understood`);
  const notAfter = text("notAfter");
  const terms = {
    token: text("token"),
    sourceBucket: text("sourceBucket"),
    sourcePrefix: text("sourcePrefix"),
    targetBucket: text("targetBucket"),
    targetPrefix: text("targetPrefix"),
    notAfter: notAfter === "" ? null : Number(notAfter),
    leastMs: Number(text("leastMs") || "0"),
    copyLogs: text("copyLogs") || null,
    updates: text("updates") === "" ? null : decodeRowUpdates(text("updates")),
  };
  if (terms.token === "" || terms.sourceBucket === "" || terms.targetBucket === "")
    throw new RangeError("the terms name no job or no bucket");
  if (Number.isNaN(terms.notAfter) || !(terms.leastMs >= 0))
    throw new RangeError("the terms hold no numbers");
  return terms;
}

function decoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new RangeError(`the term ${name} is not percent-encoded text`, { cause });
  }
}
