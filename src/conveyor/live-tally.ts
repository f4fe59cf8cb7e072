/** Counts on from the ledger's sums as stages are recorded, by the same rules as the ledger's own columns. */

import type { Batch, BatchStage } from "../domain/batch.ts";
import { type SettledCounts, settledCounts, stageCounts, type Tally } from "../domain/tally.ts";

/** Adds what `stage` of `batch` has settled since `before`; call it once for each recorded stage. */
export function countStage(
  tally: Tally,
  { objects }: Batch,
  before: SettledCounts,
  stage: BatchStage,
  rows: number,
): void {
  const settled = settledCounts(objects);
  tally.moved += settled.moved - before.moved;
  tally.skipped += settled.skipped - before.skipped;
  tally.exceptions += settled.exceptions - before.exceptions;
  const { copied = 0, bytesCopied = 0, verified = 0, updated = 0 } = stageCounts(stage, objects);
  tally.copied += copied;
  tally.bytesCopied += bytesCopied;
  tally.verified += verified;
  tally.updated += updated;
  // Deleting changes rows too: those that came to name an old key at the last moment.
  tally.rowsUpdated += rows;
}

/**
 * Rows that stages have changed and not recorded yet, by batch and reference. They outlast an attempt that fails half-way,
 * whatever becomes of the objects meanwhile, and a batch that is held before its deletion.
 */
export class UnrecordedRows {
  readonly #byBatch = new Map<number, Map<number, number>>();

  /** By reference, of batch `seq`; to be counted on. */
  of(seq: number): Map<number, number> {
    const known = this.#byBatch.get(seq) ?? new Map<number, number>();
    this.#byBatch.set(seq, known);
    return known;
  }

  /** What batch `seq` has changed so far is in the ledger. */
  recorded(seq: number): void {
    this.#byBatch.delete(seq);
  }
}

/** Copies of batches that are not recorded yet; added to a tally only to be shown. */
export class UnrecordedCopies {
  objects = 0;
  bytes = 0;

  /** Counts while `work` lasts; what it counted is taken back then, for the record or the repetition counts it. */
  async during<Result>(work: (onCopied: (bytes: number) => void) => Promise<Result>): Promise<Result> {
    const mine = { objects: 0, bytes: 0 };
    const onCopied = (bytes: number) => {
      mine.objects += 1;
      mine.bytes += bytes;
      this.objects += 1;
      this.bytes += bytes;
    };
    try {
      return await work(onCopied);
    } finally {
      this.objects -= mine.objects;
      this.bytes -= mine.bytes;
    }
  }

  /** `tally` with these copies in it. */
  addedTo(tally: Tally): Tally {
    return { ...tally, copied: tally.copied + this.objects, bytesCopied: tally.bytesCopied + this.bytes };
  }
}
