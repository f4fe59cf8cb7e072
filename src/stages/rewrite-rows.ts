/** The only place where production rows change: compare-and-set statements, as many rows at once as the job allows. */

import { type BatchObject, fail } from "../domain/batch.ts";
import type { ValueForm } from "../domain/keys/key-mapping.ts";
import { inSafeOrder } from "../domain/rewrite-order.ts";
import { allowedRows } from "./allowed-rows.ts";
import { formsOf } from "./reference-lookup.ts";
import type { RowsContext } from "./stage-contexts.ts";

/**
 * Points the rows of reference `index` that name one of `objects` at its new key; gives the number of rows changed. An
 * object whose row cannot be changed becomes an exception. A statement for each form that spells some key differently
 * from the forms before it, or several where the limit of rows a second has not room for all of them. Throws `stopped`,
 * `lease_lost`, and what the table throws; what was changed before then stays changed.
 */
export async function rewriteRows(
  context: RowsContext,
  index: number,
  objects: readonly BatchObject[],
): Promise<number> {
  const table = context.references[index]?.table;
  if (table === undefined) return 0;
  let rows = 0;
  for (const { values, form } of valuesByChange(formsOf(context, index), objects)) {
    // A row that one statement points at its new key must not have the old one of the next.
    const inOrder = inSafeOrder(values.keys(), form.change).flat();
    let open: readonly Named[] = inOrder.map((value) => [value, values.get(value) as BatchObject]);
    while (open.length > 0) {
      const chunk = await nextChunk(context, index, open);
      // A process that was stopped meanwhile must not wake up and change rows that are somebody else's work now.
      await context.confirmLease();
      const result = await table.rewrite(chunk.values, form.change);
      open = open.slice(chunk.values.length);
      rows += result.rows;
      context.onRowsChanged(index, result.rows);
      // More rows name these keys than at planning: the next statement waits for them.
      if (result.rows > chunk.allowed)
        context.rowLimit.take(result.rows - chunk.allowed, context.clock.now());
      for (const failure of result.failures) {
        const object = values.get(failure.value);
        if (object !== undefined) fail(object, failure.code, failure.message);
      }
    }
  }
  return rows;
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
interface RewriteChunk {
  readonly values: readonly string[];
  readonly allowed: number;
}

type Named = readonly [value: string, object: BatchObject];

/** As many of `open` (one at least) as have been planned with as many rows as may be changed now. */
async function nextChunk(context: RowsContext, index: number, open: readonly Named[]): Promise<RewriteChunk> {
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

/** Keys of the rows of `reference` that named `object` at planning. */
export function rowIds(object: BatchObject, reference: number): string[] {
  return object.rows.filter((row) => row.reference === reference).map((row) => row.id);
}
