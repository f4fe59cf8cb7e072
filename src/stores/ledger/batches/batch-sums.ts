/** The numbers of a batch's row, counted from its objects each time, so that sums over batches always agree. */

import { type BatchObject, isBefore, type Stage } from "../../../domain/batch.ts";
import { isRetried, settledCounts, stageCounts } from "../../../domain/tally.ts";

/** Columns that count where a batch's objects are. Retried objects are counted in their new batch only. */
export function sumsOf(objects: readonly BatchObject[]) {
  const own = objects.filter((object) => !isRetried(object));
  const bytes = own.reduce((sum, { size }) => sum + size, 0);
  return { planned: own.length, ...settledCounts(own), bytes };
}

/** Columns that say how many objects a stage ended well for; the stage that just ended sets its own. */
export interface StageSums {
  copied?: number;
  bytes_copied?: number;
  verified?: number;
  updated?: number;
}

/** The columns that the end of `stage` sets. */
export function stageSumsOf(stage: Stage, objects: readonly BatchObject[]): StageSums {
  const { bytesCopied, ...counts } = stageCounts(stage, objects);
  return bytesCopied === undefined ? counts : { ...counts, bytes_copied: bytesCopied };
}

/** What an object that failed at `stage` was counted in by the stages before. */
export function countedBefore(stage: Stage, size: number): Required<StageSums> {
  const passed = (earlier: Stage): number => Number(isBefore(earlier, stage));
  return {
    copied: passed("copy"),
    bytes_copied: passed("copy") * size,
    verified: passed("verify"),
    updated: passed("update"),
  };
}
