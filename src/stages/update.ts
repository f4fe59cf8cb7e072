/** The update stage: points the rows of a batch at the new keys, by compare-and-set statements, one or two a reference. */

import { type Batch, type BatchObject, except, going } from "../domain/batch.ts";
import type { ValueForm } from "../domain/key-mapping.ts";
import type { ReferenceTable } from "../ports/reference-table.ts";
import { formsOf } from "./naming.ts";
import { rewriteRows, rowIds } from "./rewrite-rows.ts";
import type { StageContext } from "./stage-context.ts";

/**
 * Points the rows of what is still going in `batch` at the new keys; gives the number of rows changed. `repeated`: an
 * earlier attempt may have changed some already, and been cut off before it could say so; they count too.
 */
export async function updateBatch(context: StageContext, batch: Batch, repeated: boolean): Promise<number> {
  let rows = 0;
  for (const [index, table] of context.references.entries()) {
    const objects = going(batch);
    if (objects.length === 0) break;
    const changed = await rewriteRows(context, index, objects);
    const expected = objects.reduce((sum, object) => sum + rowIds(object, index).length, 0);
    const alreadyNew = changed === expected ? 0 : await classify(context, table, index, going(batch));
    rows += repeated ? Math.max(changed, alreadyNew) : changed;
  }
  return rows;
}

/**
 * Not as many rows changed as were planned (fewer: somebody was faster; more: rows were added, or several rows name one
 * key). Reads again, in one statement, and tells apart for each key that had rows at planning:
 *
 * | rows name the old key | rows name the new key | the planned row | verdict                                    |
 * |-----------------------|-----------------------|-----------------|--------------------------------------------|
 * | yes                   | any                   | any             | left to the delete stage: still_referenced |
 * | no                    | yes                   | any             | already new                                |
 * | no                    | no                    | exists          | row_changed by someone else: not touched   |
 * | no                    | no                    | gone            | the application deleted it: nothing to do  |
 *
 * Gives the number of rows that name a new key. Only a row lost and a row gained in one batch within the same seconds add up to no difference; the row is not touched
 * then either, and its object is moved like one that no row names.
 */
async function classify(
  context: StageContext,
  table: ReferenceTable,
  index: number,
  objects: readonly BatchObject[],
): Promise<number> {
  const planned = objects.filter((object) => rowIds(object, index).length > 0);
  const { objectOf, newValues } = valuesOf(formsOf(context, index), planned);
  const rows = await table.naming([...objectOf.keys()]);
  const alreadyNew = rows.filter((row) => newValues.has(row.value)).length;
  const named = new Set(rows.map((row) => objectOf.get(row.value)));
  const unaccounted = planned.filter((object) => !named.has(object));
  if (unaccounted.length === 0) return alreadyNew;
  const existing = await table.existing(unaccounted.flatMap((object) => rowIds(object, index)));
  for (const object of unaccounted) {
    if (rowIds(object, index).some((id) => existing.has(id))) {
      except(object, "row_changed", "the row that named this key at planning names something else now");
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
