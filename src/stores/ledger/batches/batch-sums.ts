/** The numbers of a batch's row, counted from its objects each time, so that sums over batches always agree. */

import type { BatchObject, Stage } from "../../../domain/batch.ts";

/** Columns that count where a batch's objects are. Retried objects are counted in their new batch only. */
export interface BatchSums {
  planned: number;
  moved: number;
  skipped: number;
  exceptions: number;
  bytes: number;
}

export function sumsOf(objects: readonly BatchObject[]): BatchSums {
  const sums: BatchSums = { planned: 0, moved: 0, skipped: 0, exceptions: 0, bytes: 0 };
  for (const object of objects) {
    if (isRetried(object)) continue;
    sums.planned += 1;
    sums.bytes += object.size;
    if (object.outcome.kind === "moved") sums.moved += 1;
    else if (object.outcome.kind === "skipped") sums.skipped += 1;
    else if (object.outcome.kind === "exception") sums.exceptions += 1;
  }
  return sums;
}

/** Whether a later batch has taken `object` over. */
function isRetried(object: BatchObject): boolean {
  return object.outcome.kind === "skipped" && object.outcome.reason === "retried";
}

/** Columns that say how many objects a stage ended well for; the stage that just ended sets its own. */
export interface StageSums {
  copied?: number;
  bytes_copied?: number;
  verified?: number;
  updated?: number;
}

export function stageSumsOf(stage: Stage, objects: readonly BatchObject[]): StageSums {
  const passed = objects.filter(
    (object) => object.outcome.kind === "pending" || object.outcome.kind === "moved",
  );
  if (stage === "copy") {
    return { copied: passed.length, bytes_copied: passed.reduce((sum, object) => sum + object.size, 0) };
  }
  if (stage === "verify") return { verified: passed.length };
  if (stage === "update") return { updated: passed.length };
  return {};
}

const ORDER: readonly Stage[] = ["plan", "copy", "verify", "update", "delete"];

/** What an object that failed at `stage` was counted in by the stages before. */
export function countedBefore(stage: Stage, size: number): Required<StageSums> {
  const passed = (earlier: Stage): number => Number(ORDER.indexOf(stage) > ORDER.indexOf(earlier));
  return {
    copied: passed("copy"),
    bytes_copied: passed("copy") * size,
    verified: passed("verify"),
    updated: passed("update"),
  };
}
