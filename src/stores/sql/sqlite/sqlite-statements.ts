/** The text and parameters of every statement that touches a reference's rows in SQLite. */

import type { ColumnValue, ReferenceSpec } from "../../../domain/job-spec.ts";
import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";

export type Parameter = string | bigint | number | Buffer | null;

/** A statement with its parameters in order. */
export interface SqliteStatement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** The reference, and how its key's values become text. */
export interface SqlitePlan {
  readonly spec: ReferenceSpec;
  readonly keyIsBlob: boolean;
  /** Whether earlier rows with the same value can be looked up. */
  readonly columnIsIndexed: boolean;
  readonly hasTriggers: boolean;
}

/** A name in double quotes. */
export function doubleQuoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A column of the reference's table, whose alias is `r`. Unqualified, "id" would be a result's alias or a column of
 * json_each, and a name that does not exist would quietly be a string (SQLite documentation, "Quirks").
 */
function qualified(name: string): string {
  return `r.${doubleQuoted(name)}`;
}

/** An integer stays one: the driver binds every JavaScript number as a float, and 5.0 is not the text '5'. */
function bound(value: ColumnValue): Parameter {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** The reference's `where`, each as ` AND …`; byte for byte, and null equals NULL. */
function whereOf({ where }: ReferenceSpec, alias = "r"): SqliteStatement {
  const entries = Object.entries(where);
  return {
    sql: entries.map(([name]) => ` AND ${alias}.${doubleQuoted(name)} COLLATE BINARY IS ?`).join(""),
    parameters: entries.map(([, value]) => bound(value)),
  };
}

function idOf({ spec, keyIsBlob }: SqlitePlan): string {
  const key = qualified(spec.key);
  return keyIsBlob ? `hex(${key})` : `CAST(${key} AS TEXT)`;
}

/** Bound as text, an id takes on the key column's affinity: 64-bit integers stay exact. */
function idParameter({ keyIsBlob }: SqlitePlan, id: string): Parameter {
  return keyIsBlob ? Buffer.from(id, "hex") : id;
}

/** A list as one parameter: the number of variables is limited, and the statement stays the same. */
function list(values: readonly string[]): string {
  return JSON.stringify(values);
}

/** Bytes of the column from `from` on; as BLOB, because SUBSTR on text ends at a NUL. */
function blobPart(column: string, from: number, length: number | null): string {
  return `substr(CAST(${column} AS BLOB), ${from}${length === null ? "" : `, ${length}`})`;
}

/**
 * The next `rows` rows by key; the value is NULL where prefix or `where` do not match, or an earlier row has it too.
 * Earlier rows are looked up once for each value, by the first of the window's rows that has it, as in MariaDB.
 */
export function pageStatement(
  plan: SqlitePlan,
  afterId: string | null,
  valuePrefix: string,
  rows: number,
): SqliteStatement {
  const { spec } = plan;
  const key = qualified(spec.key);
  const column = qualified(spec.column);
  const prefix = Buffer.from(valuePrefix, "utf8");
  const where = whereOf(spec);
  const starts = `typeof(${column}) = 'text' AND ${blobPart(column, 1, prefix.length)} = ?`;
  const earlier = whereOf(spec, "d");
  const other = (name: string) => `d.${doubleQuoted(name)}`;
  // The first comparison uses the column's own collation and so its index; the second is exact.
  const isFirst =
    ` AND NOT EXISTS (SELECT 1 FROM ${doubleQuoted(spec.table)} AS d WHERE ${other(spec.column)} = ${column} ` +
    `AND ${other(spec.column)} = ${column} COLLATE BINARY AND ${other(spec.key)} < ${key}${earlier.sql})`;
  const value = `CASE WHEN ${starts}${where.sql} THEN ${column} END`;
  const table = `${doubleQuoted(spec.table)} AS r`;
  const range = `FROM ${table}${afterId === null ? "" : ` WHERE ${key} > ?`} ORDER BY ${key} LIMIT ${rows}`;
  const parameters = [prefix, ...where.parameters, ...(afterId === null ? [] : [idParameter(plan, afterId)])];
  if (!plan.columnIsIndexed)
    return { sql: `SELECT ${idOf(plan)} AS id, ${value} AS value ${range}`, parameters };
  return {
    sql:
      `SELECT ${idOf(plan)} AS id, CASE WHEN w.v IS NOT NULL AND w.n = 1${isFirst} THEN ${column} END AS value ` +
      "FROM (SELECT k, v, row_number() OVER (PARTITION BY v COLLATE BINARY ORDER BY k) AS n FROM " +
      `(SELECT ${key} AS k, ${value} AS v ${range})) AS w CROSS JOIN ${table} ON ${key} = w.k ORDER BY ${key}`,
    parameters: [...earlier.parameters, ...parameters],
  };
}

/**
 * The first `most` rows between the prefix and the last string that starts with it, in the order of the column's collation;
 * the value is NULL in those that do not start with it byte for byte, or do not match `where`.
 */
export function startingStatement(plan: SqlitePlan, valuePrefix: string, most: number): SqliteStatement {
  const { spec } = plan;
  const column = qualified(spec.column);
  const prefix = Buffer.from(valuePrefix, "utf8");
  const where = whereOf(spec);
  const starts = `typeof(${column}) = 'text' AND ${blobPart(column, 1, prefix.length)} = ?`;
  return {
    sql:
      `SELECT ${idOf(plan)} AS id, CASE WHEN ${starts}${where.sql} THEN ${column} END AS value ` +
      // No byte of UTF-8 is 0xff: all that starts with the prefix is below.
      `FROM ${doubleQuoted(spec.table)} AS r WHERE ${column} >= ? AND ${column} < CAST(? AS TEXT) LIMIT ${most}`,
    parameters: [prefix, ...where.parameters, valuePrefix, Buffer.concat([prefix, Buffer.of(0xff)])],
  };
}

/** Rows that hold one of the values as the column's collation sees it; the caller takes the exact ones. */
export function findRowsStatement(plan: SqlitePlan, values: readonly string[]): SqliteStatement {
  const { spec } = plan;
  const column = qualified(spec.column);
  return {
    sql:
      `SELECT ${idOf(plan)} AS id, ${column} AS value FROM ${doubleQuoted(spec.table)} AS r ` +
      `WHERE ${column} IN (SELECT value FROM json_each(?))`,
    parameters: [list(values)],
  };
}

/**
 * Rows whose value begins with one of `prefixes`, at most `most` of them where that is not null. A range of the index for
 * each: no text of UTF-8 has the byte that ends it, and the file's collations compare bytes, NOCASE and RTRIM folding ASCII
 * alone; both give a superset only, so those that are not exact are left out.
 */
export function prefixStatement(
  plan: SqlitePlan,
  prefixes: readonly string[],
  most: number | null,
): SqliteStatement {
  const { spec } = plan;
  const column = qualified(spec.column);
  const range = `${column} >= b.value AND ${column} < b.value || CAST(x'FF' AS TEXT)`;
  const exact = `substr(CAST(${column} AS BLOB), 1, length(CAST(b.value AS BLOB))) = CAST(b.value AS BLOB)`;
  return {
    sql:
      `SELECT ${idOf(plan)} AS id, ${column} AS value FROM json_each(?) AS b ` +
      `CROSS JOIN ${doubleQuoted(spec.table)} AS r ON ${range} WHERE ${exact}${most === null ? "" : ` LIMIT ${most}`}`,
    parameters: [list(prefixes)],
  };
}

/** The rows whose keys are `ids`, with their values. */
export function byKeyStatement(plan: SqlitePlan, ids: readonly string[]): SqliteStatement {
  const { spec, keyIsBlob } = plan;
  const row = `${idOf(plan)} AS id, ${qualified(spec.column)} AS value`;
  // IN (SELECT …) takes on no affinity from the column, so the list is given the key's type row by row.
  const key = qualified(spec.key);
  const source = keyIsBlob
    ? `WITH RECURSIVE wanted(id) AS (SELECT value FROM json_each(?)) SELECT ${row} FROM wanted ` +
      `CROSS JOIN ${doubleQuoted(spec.table)} AS r ON ${key} = unhex(wanted.id)`
    : `SELECT ${row} FROM json_each(?) AS wanted ` +
      `CROSS JOIN ${doubleQuoted(spec.table)} AS r ON ${key} = wanted.value`;
  return { sql: source, parameters: [list(ids)] };
}

/** At most `most` rows within `where` that hold exactly one of `values`. */
export function heldStatement(plan: SqlitePlan, values: readonly string[], most: number): SqliteStatement {
  const { spec } = plan;
  const column = qualified(spec.column);
  const where = whereOf(spec);
  return {
    sql:
      `SELECT ${idOf(plan)} AS id, ${column} AS value FROM ${doubleQuoted(spec.table)} AS r ` +
      `WHERE ${holdingOneOf(column)}${where.sql} LIMIT ${most}`,
    parameters: [list(values), list(values), ...where.parameters],
  };
}

/** Holds for the exact values of a list that is given twice. */
function holdingOneOf(column: string): string {
  const listed = "IN (SELECT value FROM json_each(?))";
  return `${column} ${listed} AND ${column} COLLATE BINARY ${listed}`;
}

/**
 * The compare-and-set, in the rows `ids` alone where these are given. The first list finds rows through the index by the column's collation (perhaps NOCASE), the
 * second keeps those that are equal byte for byte.
 */
export function rewriteStatement(
  plan: SqlitePlan,
  values: readonly string[],
  change: PrefixChange,
  ids: readonly string[] | null = null,
): SqliteStatement {
  const { spec } = plan;
  const column = qualified(spec.column);
  const where = whereOf(spec);
  const from = Buffer.from(change.from, "utf8");
  const set = Object.entries(spec.set);
  return {
    sql:
      `UPDATE ${doubleQuoted(spec.table)} AS r SET ${doubleQuoted(spec.column)} = ? || CAST(${blobPart(column, from.length + 1, null)} AS TEXT)` +
      `${set.map(([name]) => `, ${doubleQuoted(name)} = ?`).join("")} ` +
      `WHERE ${holdingOneOf(column)} AND ${blobPart(column, 1, from.length)} = ?${where.sql}` +
      (ids === null ? "" : ` AND ${idOf(plan)} IN (SELECT value FROM json_each(?))`),
    parameters: [
      change.to,
      ...set.map(([, value]) => bound(value)),
      list(values),
      list(values),
      from,
      ...where.parameters,
      ...(ids === null ? [] : [list(ids)]),
    ],
  };
}
