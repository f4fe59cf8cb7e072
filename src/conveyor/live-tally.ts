/** Counts on from the ledger's sums as stages are recorded, by the same rules as the ledger's own columns. */

import type { Batch, Stage, Tally } from "../domain/batch.ts";

/** Adds what `stage` of `batch` has settled since `before`; call it once for each recorded stage. */
export function countStage(
  tally: Tally,
  batch: Batch,
  before: Settled,
  stage: Exclude<Stage, "plan">,
  rows: number,
): void {
  const settled = settledOf(batch);
  tally.moved += settled.moved - before.moved;
  tally.skipped += settled.skipped - before.skipped;
  tally.exceptions += settled.exceptions - before.exceptions;
  const well = batch.objects.length - settled.exceptions - settled.skipped;
  if (stage === "copy") {
    tally.copied += well;
    tally.bytesCopied += bytesPending(batch);
  }
  if (stage === "verify") tally.verified += well;
  if (stage === "update") tally.updated += well;
  // Deleting changes rows too: those that came to name an old key at the last moment.
  tally.rowsUpdated += rows;
}

export interface Settled {
  moved: number;
  skipped: number;
  exceptions: number;
}

/** How many of a batch's objects have which end. */
export function settledOf(batch: Batch): Settled {
  const count = { moved: 0, skipped: 0, exceptions: 0 };
  for (const { outcome } of batch.objects) {
    if (outcome.kind === "moved") count.moved += 1;
    if (outcome.kind === "skipped") count.skipped += 1;
    if (outcome.kind === "exception") count.exceptions += 1;
  }
  return count;
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

function bytesPending(batch: Batch): number {
  return batch.objects.reduce(
    (sum, object) => sum + (object.outcome.kind === "pending" ? object.size : 0),
    0,
  );
}
