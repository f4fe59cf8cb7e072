/** The tally: how objects are counted, in the ledger's columns and while a job runs. */

import type { BatchObject, Stage } from "./batch.ts";

/** Numbers of objects; `planned` = `moved` + `skipped` + `exceptions` + pending ones. */
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

/** Numbers of objects with an outcome. */
export interface SettledCounts {
  readonly moved: number;
  readonly skipped: number;
  readonly exceptions: number;
}

/** Counts the outcomes of `objects`. Retried ones count in the later batch that has them. */
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

/** Whether `object` was planned again in a later batch. */
export function isRetried({ outcome }: BatchObject): boolean {
  return outcome.kind === "skipped" && outcome.reason === "retried";
}

/** The counts that stages add to a tally. */
export type StageCounts = Pick<Tally, "copied" | "bytesCopied" | "verified" | "updated">;

/** What the end of `stage` adds to the tally: the `objects` that passed it, and their bytes. */
export function stageCounts(stage: Stage, objects: readonly BatchObject[]): Partial<StageCounts> {
  const passed = objects.filter(({ outcome }) => outcome.kind === "pending" || outcome.kind === "moved");
  if (stage === "copy") {
    return { copied: passed.length, bytesCopied: passed.reduce((sum, { size }) => sum + size, 0) };
  }
  if (stage === "verify") return { verified: passed.length };
  return stage === "update" ? { updated: passed.length } : {};
}
