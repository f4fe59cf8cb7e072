/** Guard of deletions on stores that do not check versions, or are not known to: few keys, checked immediately before. */

import type { BatchObject } from "../domain/batch.ts";
import { decideDeletions, headSourcesAndTargets, type ToDelete } from "./deletion-checks.ts";
import type { DeleteContext } from "./stage-contexts.ts";

/** Keys for the next request, at most `most`: one while it is unknown whether the store checks versions. */
export function keysPerRequest({ source, deletionSize }: DeleteContext, most: number): number {
  const { deletions } = source.protection();
  if (deletions === "store") return most;
  return deletions === "unknown" ? 1 : Math.min(most, deletionSize.keys);
}

/** Records the times of a deletion of `keys` keys: of the check before it and of the request itself, ms. */
export function recordGap(
  { source, deletionSize }: DeleteContext,
  keys: number,
  checkMs: number,
  deleteMs: number,
): void {
  if (keys > 0 && source.protection().deletions !== "store") deletionSize.note(keys, checkMs, deleteMs);
}

/** On a store that compares the source's ETag itself, the other evidence may be this old when a deletion is sent. */
const FRESH_MS = 100;

/**
 * Those of `toDelete` that are unchanged on both sides now; first checked at `seenAt` on the monotonic clock. The others
 * become exceptions or are added to `absent`. A store that checks versions compares the source's ETag only: the copy and
 * the source's metadata need a check of their own when the first one is older than {@link FRESH_MS}.
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
