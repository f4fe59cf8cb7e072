/** Repairs rows that began to name an old key while its source was being deleted: they are pointed at the copy. */

import { type BatchObject, fail } from "../domain/batch.ts";
import { type CheckedReferences, keysStillNamed } from "./reference-lookup.ts";
import { rewriteRows } from "./rewrite-rows.ts";
import type { RowsContext } from "./stage-contexts.ts";

/**
 * Searches again for rows that name a key of `objects`, whose sources are gone and whose copies were verified to exist, and
 * points them at the copies by compare-and-set. An object that a row still names then becomes an exception: the row's value
 * cannot be rewritten, the row is outside the reference's `where`, or such rows keep being written. One statement a
 * reference when there are none.
 */
export async function repairDanglingRows(
  context: RowsContext & CheckedReferences,
  objects: readonly BatchObject[],
): Promise<void> {
  const dangling = await namedOf(context, objects);
  if (dangling.length === 0) return;
  for (const index of context.references.keys()) await rewriteRows(context, index, dangling);
  for (const object of await namedOf(context, dangling)) {
    fail(
      object,
      "still_referenced",
      "a row that came while the source was being deleted names the old key; the object stands at its new key only",
    );
  }
}

async function namedOf(
  context: RowsContext & CheckedReferences,
  objects: readonly BatchObject[],
): Promise<readonly BatchObject[]> {
  if (objects.length === 0 || context.references.length === 0) return [];
  const named = await keysStillNamed(context, objects);
  return objects.filter(({ key }) => named.has(key));
}
