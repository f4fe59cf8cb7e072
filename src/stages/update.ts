/** The update stage: the only place where production rows change, by compare-and-set statements, one or two a batch and reference. */

import { type Batch, type BatchObject, except, going } from "../domain/batch.ts";
import type { ValueForm } from "../domain/key-mapping.ts";
import { inSafeOrder } from "../domain/rewrite-order.ts";
import type { ReferenceTable } from "../ports/reference-table.ts";
import { allowedRows } from "./allowed-rows.ts";
import { formsOf } from "./naming.ts";
import type { StageContext } from "./stage-context.ts";

/** Rows that statements have changed so far, by reference; kept over all attempts at one batch in this process. */
export type RowsChanged = Map<number, number>;

/**
 * Points the rows of what is still going in `batch` at the new keys; gives the number of rows changed, whatever became of
 * their objects. `changed` is counted on with each answer, so that an attempt that fails half-way is not forgotten.
 * `repeated`: an earlier attempt may have changed some rows more, and been cut off before it could say so; those that name
 * a new key now count too.
 */
export async function updateBatch(
  context: StageContext,
  batch: Batch,
  repeated: boolean,
  changed: RowsChanged = new Map(),
): Promise<number> {
  for (const [index, table] of context.references.entries()) {
    const objects = going(batch);
    if (objects.length === 0) break;
    const before = changed.get(index) ?? 0;
    await rewriteAll(context, table, index, objects, changed);
    const rows = changed.get(index) ?? 0;
    const expected = objects.reduce((sum, object) => sum + rowIds(object, index).length, 0);
    if (rows - before === expected) continue;
    // Objects that have just become exceptions too: some of their rows may have been changed.
    const alreadyNew = await classify(context, table, index, objects);
    if (repeated) changed.set(index, Math.max(rows, alreadyNew));
  }
  return [...changed.values()].reduce((sum, rows) => sum + rows, 0);
}

/**
 * A statement for each form that spells some key differently from the forms before it, or several where the limit of rows
 * a second has not room for all of them.
 */
async function rewriteAll(
  context: StageContext,
  table: ReferenceTable,
  index: number,
  objects: readonly BatchObject[],
  changed: RowsChanged,
): Promise<void> {
  for (const { values, form } of valuesByChange(formsOf(context, index), objects)) {
    // A row that one statement points at its new key must not have the old one of the next.
    const inOrder = inSafeOrder(values.keys(), form.change).flat();
    let open: readonly Named[] = inOrder.map((value) => [value, values.get(value) as BatchObject]);
    while (open.length > 0) {
      const turn = await nextTurn(context, index, open);
      // A process that was stopped meanwhile must not wake up and change rows that are somebody else's work now.
      await context.confirmLease();
      const result = await table.rewrite(turn.values, form.change);
      open = open.slice(turn.values.length);
      changed.set(index, (changed.get(index) ?? 0) + result.rows);
      // More rows name these keys than at planning: the next statement waits for them.
      if (result.rows > turn.allowed) context.rowPace.take(result.rows - turn.allowed, context.clock.now());
      for (const failure of result.failures) {
        const object = values.get(failure.value);
        if (object !== undefined) except(object, failure.code, failure.message);
      }
    }
  }
}

/** Values to rewrite, grouped by the prefixes exchanged: forms with the same prefixes share a statement. */
function valuesByChange(forms: readonly ValueForm[], objects: readonly BatchObject[]) {
  const groups: { form: ValueForm; values: Map<string, BatchObject> }[] = [];
  const seen = new Set<string>();
  for (const form of forms) {
    const same = groups.find(
      (group) => group.form.change.from === form.change.from && group.form.change.to === form.change.to,
    );
    const group = same ?? { form, values: new Map<string, BatchObject>() };
    for (const object of objects) {
      const value = form.valueOf(object.key);
      if (value === null || seen.has(value)) continue;
      group.values.set(value, object);
      seen.add(value);
    }
    if (same === undefined && group.values.size > 0) groups.push(group);
  }
  return groups;
}

/** Values of which as many rows may be changed now. */
interface Turn {
  readonly values: readonly string[];
  readonly allowed: number;
}

type Named = readonly [value: string, object: BatchObject];

/** As many of `open` (one at least) as have been planned with as many rows as may be changed now. */
async function nextTurn(context: StageContext, index: number, open: readonly Named[]): Promise<Turn> {
  const rowsOf = ([, object]: Named) => Math.max(1, rowIds(object, index).length);
  const wanted = open.reduce((sum, named) => sum + rowsOf(named), 0);
  const allowed = await allowedRows(context, wanted);
  let count = 0;
  for (let rows = 0; count < open.length; count += 1) {
    rows += rowsOf(open[count] as Named);
    if (rows > allowed && count > 0) break;
  }
  return { values: open.slice(0, count).map(([value]) => value), allowed };
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

function rowIds(object: BatchObject, reference: number): string[] {
  return object.rows.filter((row) => row.reference === reference).map((row) => row.id);
}
