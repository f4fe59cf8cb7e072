/** Deletions on a store that does not compare versions, or has not shown yet that it does: few keys, looked at right before. */

import type { BatchObject } from "../domain/batch.ts";
import { decideDeletions, headSourcesAndTargets, type ToDelete } from "./deletion-checks.ts";
import type { DeleteContext } from "./stage-contexts.ts";

/** Keys for the next request, where the bucket stands `most`: one where it is not known yet whether the store compares. */
export function keysPerRequest({ source, deletionSize }: DeleteContext, most: number): number {
  const { deletions } = source.protection();
  if (deletions === "store") return most;
  return deletions === "unknown" ? 1 : Math.min(most, deletionSize.keys);
}

/** Learns from a deletion of `keys`: how long the look before it took, and it itself, ms. */
export function recordGap(
  { source, deletionSize }: DeleteContext,
  keys: number,
  lookMs: number,
  deleteMs: number,
): void {
  if (keys > 0 && source.protection().deletions !== "store") deletionSize.note(keys, lookMs, deleteMs);
}

/** On a store that compares the source's ETag by itself, a look at everything else may be so old when a deletion is sent. */
const FRESH_MS = 100;

/**
 * Those of `deletable` that are what they were, on both sides, now; looked at for the first time at `seenAt` on the monotonic
 * clock. A store that compares does so by the source's ETag only: the copy and the source's metadata are as old as the look.
 */
export async function recheckBeforeDelete(
  context: DeleteContext,
  toDelete: ToDelete[],
  absent: BatchObject[],
  seenAt: number,
): Promise<ToDelete[]> {
  const { source, clock } = context;
  const isGuarded = source.protection().deletions === "store";
  if (toDelete.length === 0 || (isGuarded && clock.monotonic() - seenAt <= FRESH_MS)) return toDelete;
  const objects = toDelete.map(({ object }) => object);
  const now = decideDeletions(await headSourcesAndTargets(context, objects, objects.length), NONE_NAMED);
  absent.push(...now.absent);
  return [...now.toDelete];
}

const NONE_NAMED: ReadonlySet<string> = new Set();
