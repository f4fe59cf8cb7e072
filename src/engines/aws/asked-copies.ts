/** AskedCopies: recognises the copies that a consignment has asked for, in 8 bytes each. */

import { hash } from "node:crypto";
import type { NumberedCopy } from "../../ports/copy-engine.ts";
import { taskField } from "./copy-field.ts";
import { type CopyTask, decodeTask, encodeTask } from "./copy-task.ts";
import { throwIfStopped } from "./engine-requests.ts";

/**
 * Fingerprints (52 bits) of the fields that were sent: number, ETag, size, class and key of each copy. A row of a foreign
 * report agrees with one by chance in at most 1 of 4,000,000,000 cases, for a million copies.
 */
export class AskedCopies {
  readonly #prints: Float64Array;

  private constructor(prints: Float64Array) {
    this.#prints = prints.sort();
  }

  /** Reads `copies`, `most` at most: those beyond are not recognised. Throws `stopped`. */
  static async read(
    copies: AsyncIterable<NumberedCopy>,
    most: number,
    signal: AbortSignal,
  ): Promise<AskedCopies> {
    const prints = new Float64Array(most);
    let count = 0;
    for await (const copy of copies) {
      throwIfStopped(signal);
      prints[count] = fingerprint(taskField(copy));
      count += 1;
    }
    return new AskedCopies(prints.subarray(0, Math.min(count, most)));
  }

  /** The task in `field`, a key column of a report; null unless exactly it was asked for. */
  taskOf(field: string): CopyTask | null {
    const task = decodeTask(field);
    // Written again, as S3 may have encoded a space as `+`.
    return task !== null && this.#has(fingerprint(encodeTask(task))) ? task : null;
  }

  #has(print: number): boolean {
    let low = 0;
    let high = this.#prints.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#prints[middle] ?? 0) < print) low = middle + 1;
      else high = middle;
    }
    return this.#prints[low] === print;
  }
}

function fingerprint(field: string): number {
  return Number.parseInt(hash("md5", field).slice(0, 13), 16);
}
