/** Rewrites production rows, the only code that does: by compare-and-set statements within the job's row limit. */

import { type BatchObject, fail } from "../domain/batch.ts";
import { valuesByChange } from "../domain/keys/values-by-change.ts";
import { inSafeOrder } from "../domain/rewrite-order.ts";
import { allowedRows } from "./allowed-rows.ts";
import { formsOf } from "./reference-lookup.ts";
import type { RowsContext } from "./stage-contexts.ts";

/**
 * Points the rows of reference `index` that name one of `objects` at its new key; gives the number of rows changed. An
 * object whose row cannot be changed becomes an exception. One statement for each form with values that earlier forms do not
 * have, or several where the limit of rows a second does not allow all of them. Throws `stopped`, `lease_lost`, and what the
 * table throws; earlier changes are kept then.
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
    // The new value written by one statement must not be an old value of a later one.
    const inOrder = inSafeOrder(values.keys(), form.change).flat();
    let open: readonly Named[] = inOrder.map((value) => [value, values.get(value) as BatchObject]);
    while (open.length > 0) {
      const chunk = await nextChunk(context, index, open);
      // A process that was suspended meanwhile must not change rows after another process has claimed the job.
      await context.confirmLease();
      const result = await table.rewrite(chunk.values, form.change);
      open = open.slice(chunk.values.length);
      rows += result.rows;
      context.onRowsChanged(index, result.rows);
      // More rows name these keys than at planning: they are counted afterwards and delay the next statement.
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

/** Values for one statement, and the number of rows that it may change now. */
interface RewriteChunk {
  readonly values: readonly string[];
  readonly allowed: number;
}

type Named = readonly [value: string, object: BatchObject];

/** Waits for the row limit; gives the first of `open` (at least one) whose planned rows may be changed now. */
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
