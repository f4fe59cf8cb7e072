/** The update stage: points the rows of a batch at the new keys, by compare-and-set statements, one or two a reference. */

import { type Batch, type BatchObject, fail, pending } from "../domain/batch.ts";
import type { ValueForm } from "../domain/keys/key-mapping.ts";
import type { ReferenceTable } from "../ports/reference-table.ts";
import { formsOf } from "./reference-lookup.ts";
import { rewriteRows, rowIds } from "./rewrite-rows.ts";
import type { UpdateContext } from "./stage-contexts.ts";

/**
 * Points the rows of the pending objects of `batch` at the new keys. `before` are the rows that earlier attempts have
 * reported as changed, by reference. `repeated`: an earlier attempt, or a function on AWS, may have changed more without
 * reporting it; the rows that name a new key now are counted then too.
 */
export async function updateBatch(
  context: UpdateContext,
  batch: Batch,
  repeated: boolean,
  before: ReadonlyMap<number, number> = new Map(),
): Promise<void> {
  for (const [index, { table }] of context.references.entries()) {
    const objects = pending(batch);
    if (objects.length === 0) break;
    const earlier = before.get(index) ?? 0;
    const changed = await rewriteRows(context, index, objects);
    const expected = objects.reduce((sum, object) => sum + rowIds(object, index).length, 0);
    if (changed === expected) continue;
    // Includes objects that have just become exceptions: some of their rows may have been changed.
    const alreadyNew = await classify(context, table, index, objects);
    const untold = alreadyNew - earlier - changed;
    if (repeated && untold > 0) context.onRowsChanged(index, untold);
  }
}

/**
 * For when the number of changed rows is not the planned one (fewer: other clients changed rows; more: rows were added, or
 * several rows name one key). Reads the rows again, in one statement, and decides for each key that had rows at planning:
 *
 * | rows name the old key | rows name the new key | the planned row | verdict                                    |
 * |-----------------------|-----------------------|-----------------|--------------------------------------------|
 * | yes                   | any                   | any             | left to the delete stage: still_referenced |
 * | no                    | yes                   | any             | already new                                |
 * | no                    | no                    | exists          | row_changed: changed by another client     |
 * | no                    | no                    | gone            | deleted by the application: nothing to do  |
 *
 * Gives the number of rows that name a new key. Undetected is only a lost row and a gained row in one batch within the same
 * seconds, which cancel out; the row is not changed then either, and its object is moved like one that no row names.
 */
async function classify(
  context: UpdateContext,
  table: ReferenceTable,
  index: number,
  objects: readonly BatchObject[],
): Promise<number> {
  const planned = objects.filter((object) => rowIds(object, index).length > 0);
  const { objectOf, newValues } = valuesOf(formsOf(context, index), planned);
  const rows = await table.findRows([...objectOf.keys()]);
  const alreadyNew = rows.filter((row) => newValues.has(row.value)).length;
  const named = new Set(rows.map((row) => objectOf.get(row.value)));
  const unaccounted = planned.filter((object) => !named.has(object));
  if (unaccounted.length === 0) return alreadyNew;
  const existing = await table.existing(unaccounted.flatMap((object) => rowIds(object, index)));
  for (const object of unaccounted) {
    if (rowIds(object, index).some((id) => existing.has(id))) {
      fail(object, "row_changed", "the row that named this key at planning names something else now");
    }
  }
  return alreadyNew;
}

/** Old and new values of `objects`, and which object each of them names. */
function valuesOf(forms: readonly ValueForm[], objects: readonly BatchObject[]) {
  const objectOf = new Map<string, BatchObject>();
  const newValues = new Set<string>();
  for (const form of forms) {
    for (const object of objects) {
      const value = form.valueOf(object.key);
      if (value === null) continue;
      const next = form.change.to + value.slice(form.change.from.length);
      objectOf.set(next, object).set(value, object);
      newValues.add(next);
    }
  }
  return { objectOf, newValues };
}
