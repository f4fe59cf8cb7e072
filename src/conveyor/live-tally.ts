/** The tally of a run: continued from the ledger's sums as stages are recorded, by the rules of the ledger's columns. */

import type { Batch, BatchStage } from "../domain/batch.ts";
import { type SettledCounts, settledCounts, stageCounts, type Tally } from "../domain/tally.ts";

/**
 * Adds the outcomes of `stage` since `before`, and `rows` changed, to `tally`; call it once for each recorded stage, with null
 * for a stage that was recorded in part.
 */
export function countStage(
  tally: Tally,
  { objects }: Batch,
  before: SettledCounts,
  stage: BatchStage | null,
  rows: number,
): void {
  const settled = settledCounts(objects);
  tally.moved += settled.moved - before.moved;
  tally.skipped += settled.skipped - before.skipped;
  tally.exceptions += settled.exceptions - before.exceptions;
  const counts = stage === null ? {} : stageCounts(stage, objects);
  const { copied = 0, bytesCopied = 0, verified = 0, updated = 0 } = counts;
  tally.copied += copied;
  tally.bytesCopied += bytesCopied;
  tally.verified += verified;
  tally.updated += updated;
  // The delete stage changes rows too: those that began to name an old key during the deletion.
  tally.rowsUpdated += rows;
}

/**
 * Numbers of rows that stages have changed and not recorded yet, by batch and reference. They are kept after an attempt that
 * fails half-way, whatever the outcomes of the objects, and for a batch that is deferred before its deletion.
 */
export class UnrecordedRows {
  readonly #byBatch = new Map<number, Map<number, number>>();

  /** The counts of batch `seq` by reference; the caller adds to them. */
  of(seq: number): Map<number, number> {
    const known = this.#byBatch.get(seq) ?? new Map<number, number>();
    this.#byBatch.set(seq, known);
    return known;
  }

  /** The changes of batch `seq` are in the ledger. */
  recorded(seq: number): void {
    this.#byBatch.delete(seq);
  }
}

/** Copies of batches that are not recorded yet; added to a tally only for display. */
export class UnrecordedCopies {
  objects = 0;
  bytes = 0;

  /** Counts copies while `work` runs, and removes them at its end, as the record or the repetition counts them. */
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
