/** JSON, compressed: what the ledger's blobs are made of. */

import { deflateRawSync, inflateRawSync } from "node:zlib";

/** `value` as compressed JSON. JSON keeps every string exact, lone surrogates and control characters included. */
export function pack(value: unknown): Buffer {
  return deflateRawSync(JSON.stringify(value));
}

/** What {@link pack} packed. The ledger reads only what it wrote, so the shape is taken for granted. */
export function unpack<T>(packed: Uint8Array): T {
  return JSON.parse(inflateRawSync(packed).toString("utf8")) as T;
}
/** `numbers` as differences, which repeat more and so compress better. */
export function deltas(numbers: readonly number[]): number[] {
  return numbers.map((number, index) => number - (numbers[index - 1] ?? 0));
}

/** Undoes {@link deltas}. */
export function sums(differences: readonly number[]): number[] {
  let sum = 0;
  return differences.map((difference) => {
    sum += difference;
    return sum;
  });
}
