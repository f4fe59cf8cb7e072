/** The rows that name a batch's objects, as columns: numeric ids as differences, references only where they differ. */

import type { ReferencingRow } from "../../../domain/batch.ts";
import { deltas, sums } from "../batches/packed-json.ts";

/** Null: no object is named by a row. */
export type RowColumn = {
  /** Rows of each object, or the same number for all. */
  readonly n: number | readonly number[];
  /** Reference of each row, or the same for all. */
  readonly f: number | readonly number[];
  /** Ids of all rows: differences of numbers, or text where one of them is no plain number. */
  readonly i: readonly number[] | readonly string[];
} | null;

const PLAIN_NUMBER = /^(0|[1-9]\d{0,14})$/;

export function rowColumn(objects: readonly { readonly rows: readonly ReferencingRow[] }[]): RowColumn {
  const rows = objects.flatMap((object) => object.rows);
  if (rows.length === 0) return null;
  const ids = rows.map((row) => row.id);
  return {
    n: oneOrAll(objects.map((object) => object.rows.length)),
    f: oneOrAll(rows.map((row) => row.reference)),
    i: ids.every((id) => PLAIN_NUMBER.test(id)) ? deltas(ids.map(Number)) : ids,
  };
}

/** The rows of each of `count` objects. */
export function rowsFromColumn(column: RowColumn, count: number): ReferencingRow[][] {
  if (column === null) return Array.from({ length: count }, () => []);
  const ids = column.i.every((id) => typeof id === "number")
    ? sums(column.i as readonly number[]).map(String)
    : (column.i as readonly string[]);
  const { n, f } = column;
  let next = 0;
  return Array.from({ length: count }, (_, object) => {
    const length = typeof n === "number" ? n : (n[object] ?? 0);
    const start = next;
    next += length;
    return ids.slice(start, next).map((id, offset) => ({
      reference: typeof f === "number" ? f : (f[start + offset] ?? 0),
      id,
    }));
  });
}

function oneOrAll(numbers: readonly number[]): number | readonly number[] {
  const first = numbers[0] ?? 0;
  return numbers.every((number) => number === first) ? first : numbers;
}
