/** How objects are counted, by the ledger's columns and while a job runs alike. */

import type { BatchObject, Stage } from "./batch.ts";

/** Numbers of objects by where they are; `planned` = `moved` + `skipped` + `exceptions` + still going. */
export interface Tally {
  planned: number;
  copied: number;
  verified: number;
  updated: number;
  moved: number;
  skipped: number;
  exceptions: number;
  rowsUpdated: number;
  /** Bytes planned. */
  bytes: number;
  /** Bytes of copied objects. */
  bytesCopied: number;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return {
    planned: 0,
    copied: 0,
    verified: 0,
    updated: 0,
    moved: 0,
    skipped: 0,
    exceptions: 0,
    rowsUpdated: 0,
    bytes: 0,
    bytesCopied: 0,
  };
}

/** Objects whose way has ended. */
export interface SettledCounts {
  readonly moved: number;
  readonly skipped: number;
  readonly exceptions: number;
}

/** How many of `objects` have ended in which way. Retried ones count in the batch that has taken them over. */
export function settledCounts(objects: readonly BatchObject[]): SettledCounts {
  const counts = { moved: 0, skipped: 0, exceptions: 0 };
  for (const object of objects) {
    const { kind } = object.outcome;
    if (kind === "moved") counts.moved += 1;
    else if (kind === "exception") counts.exceptions += 1;
    else if (kind === "skipped" && !isRetried(object)) counts.skipped += 1;
  }
  return counts;
}

/** Whether a later batch has taken `object` over. */
export function isRetried({ outcome }: BatchObject): boolean {
  return outcome.kind === "skipped" && outcome.reason === "retried";
}

/** What a stage adds to a tally. */
export type StageCounts = Pick<Tally, "copied" | "bytesCopied" | "verified" | "updated">;

/** What the end of `stage` counts of its `objects`: those that passed it. */
export function stageCounts(stage: Stage, objects: readonly BatchObject[]): Partial<StageCounts> {
  const passed = objects.filter(({ outcome }) => outcome.kind === "pending" || outcome.kind === "moved");
  if (stage === "copy") {
    return { copied: passed.length, bytesCopied: passed.reduce((sum, { size }) => sum + size, 0) };
  }
  if (stage === "verify") return { verified: passed.length };
  return stage === "update" ? { updated: passed.length } : {};
}
