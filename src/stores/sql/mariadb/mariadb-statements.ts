/** The text of every statement that touches a reference's rows in MariaDB or MySQL. */

import { DomainError } from "../../../domain/errors.ts";
import type { ColumnValue, ReferenceSpec } from "../../../domain/job-spec.ts";
import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";
import { type ColumnFacts, indexOn, isUniqueKey, missingColumns, type TableShape } from "./mariadb-facts.ts";
import { type KeyType, keyTypeOf } from "./mariadb-key.ts";
import { backtickQuoted, bytes, canHold, text } from "./mariadb-literals.ts";

/** Everything the statements of one reference have in common. */
export interface Plan {
  readonly spec: ReferenceSpec;
  readonly table: string;
  readonly key: string;
  readonly keyType: KeyType;
  readonly keyIsUnique: boolean;
  /** Index hints. Without them the optimizer scans the table once the list is long (10,000 values of 50,000 rows). */
  readonly byKey: string;
  readonly byColumn: string;
  readonly column: string;
  readonly facts: ColumnFacts;
  /** ` AND …` for the reference's `where`, or nothing. */
  readonly where: string;
  /** ` AND …`: no row with a smaller key, within `where`, holds the same value. Nothing where that cannot be looked up by index. */
  readonly isFirst: string;
  /** `, …` for `set` and the columns to keep, or nothing. */
  readonly assignments: string;
  /** Whether the table has a trigger on UPDATE that the account may see. */
  readonly hasTriggers: boolean;
}

/** Plans the statements of `spec`; throws `database_refused` when the table cannot serve it. */
export function planStatements(spec: ReferenceSpec, shape: TableShape, hints: boolean): Plan {
  const refused = (what: string) =>
    new DomainError("database_refused", `database "${spec.database}", table "${spec.table}": ${what}`);
  if (!shape.exists) throw refused("it does not exist, or the account may not see it");
  const missing = missingColumns(shape, spec);
  if (missing.length > 0)
    throw refused(`it lacks the column(s) ${missing.join(", ")}, or the account may not see them`);
  const facts = shape.columns.get(spec.column.toLowerCase());
  const key = shape.columns.get(spec.key.toLowerCase());
  if (facts === undefined || key === undefined) throw refused("its columns cannot be read");
  if (!/^(varchar|char|(tiny|medium|long)?text|varbinary|(tiny|medium|long)?blob)$/.test(facts.dataType)) {
    throw refused(`column ${facts.name} of type ${facts.columnType} cannot hold keys exactly`);
  }
  if (canHold(facts.charset, "") === null) {
    throw refused(`column ${facts.name} has the character set ${facts.charset}, which is not supported`);
  }
  const keyType = keyTypeOf(key);
  if (keyType === null) throw refused(`rows cannot be paged by ${key.name} of type ${key.columnType}`);
  const hint = (column: string) => {
    const index = hints ? indexOn(shape, column) : null;
    return index === null ? "" : ` FORCE INDEX (${backtickQuoted(index.name)})`;
  };
  const whereFor = (alias: string) =>
    Object.entries(spec.where)
      .map(([name, value]) => ` AND ${equality(shape, alias, name, value)}`)
      .join("");
  return {
    spec,
    table: backtickQuoted(spec.table),
    key: `r.${backtickQuoted(key.name)}`,
    keyType,
    keyIsUnique: isUniqueKey(shape, spec.key),
    byKey: hint(spec.key),
    byColumn: hint(spec.column),
    column: `r.${backtickQuoted(facts.name)}`,
    facts,
    where: whereFor("r"),
    // Without the hint the optimizer may not use the index either, and would read the table once for every row.
    isFirst:
      hint(spec.column) === ""
        ? ""
        : ` AND NOT EXISTS (SELECT 1 FROM ${backtickQuoted(spec.table)} d${hint(spec.column)} ` +
          `WHERE d.${backtickQuoted(facts.name)} = r.${backtickQuoted(facts.name)} ` +
          `AND ${exactBytes(`d.${backtickQuoted(facts.name)}`, facts.charset)} = ` +
          `${exactBytes(`r.${backtickQuoted(facts.name)}`, facts.charset)} ` +
          `AND d.${backtickQuoted(key.name)} < r.${backtickQuoted(key.name)}${whereFor("d")})`,
    assignments: assignments(spec, shape),
    hasTriggers: shape.triggers.length > 0,
  };
}

/** The column's bytes in UTF-8, to be compared with a binary literal. CAST, for BINARY is deprecated in MySQL 8. */
export function exactBytes(column: string, charset: string | null): string {
  if (charset === null) return column;
  return charset === "utf8mb4"
    ? `CAST(${column} AS BINARY)`
    : `CAST(CONVERT(${column} USING utf8mb4) AS BINARY)`;
}

/**
 * `name` = `value`, never broader than that: text columns compare byte for byte, with numbers as text ('5abc' = 5 is
 * true to the server); number columns meet only numbers ('x' = 0 is true to the server).
 */
function equality(shape: TableShape, alias: string, name: string, value: ColumnValue): string {
  const facts = shape.columns.get(name.toLowerCase());
  const column = `${alias}.${backtickQuoted(name)}`;
  if (value === null) return `${column} IS NULL`;
  const plain = typeof value === "boolean" ? Number(value) : value;
  if (facts !== undefined && (facts.charset !== null || /(binary|blob)$/.test(facts.dataType))) {
    const wanted = String(plain);
    if (canHold(facts.charset, wanted) !== true) return "FALSE";
    if (facts.charset === null) return `${column} = ${bytes(wanted)}`;
    return `${column} = ${text(wanted)} AND ${exactBytes(column, facts.charset)} = ${bytes(wanted)}`;
  }
  const isNumeric = /^((tiny|small|medium|big)?int|decimal|float|double|bit|year)$/.test(
    facts?.dataType ?? "",
  );
  if (isNumeric && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(String(plain))) return "FALSE";
  return `${column} = ${isNumeric ? String(plain) : text(String(plain))}`;
}

function assignments(spec: ReferenceSpec, shape: TableShape): string {
  const set = Object.entries(spec.set).map(
    ([name, value]) => `, r.${backtickQuoted(name)} = ${assigned(value)}`,
  );
  if (!spec.keepUpdatedAt) return set.join("");
  const given = new Set([spec.column, ...Object.keys(spec.set)].map((name) => name.toLowerCase()));
  const kept = [...shape.columns.values()].filter(
    ({ updatesItself, name }) => updatesItself && !given.has(name.toLowerCase()),
  );
  // A column set to itself is not "updated automatically" (MariaDB and MySQL manuals, TIMESTAMP).
  return [...set, ...kept.map(({ name }) => `, r.${backtickQuoted(name)} = r.${backtickQuoted(name)}`)].join(
    "",
  );
}

function assigned(value: ColumnValue): string {
  if (value === null) return "NULL";
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" ? String(value) : text(value);
}

/** A literal that the column compares with by its own collation, through its index. */
export function nativeLiteral(plan: Plan, value: string): string {
  return plan.facts.charset === null ? bytes(value) : text(value);
}

/**
 * The next `rows` rows by key; the value is NULL where prefix or `where` do not match, or an earlier row has it too.
 * Earlier rows are looked up once for each value, by the first of the window's rows that has it: a value that
 * thousands of rows outside `where` hold too would otherwise be walked through by every row (49,000: over a minute).
 */
export function pageSql(plan: Plan, afterLiteral: string | null, valuePrefix: string, rows: number): string {
  const { key, keyType, column, facts, isFirst } = plan;
  const length = Buffer.byteLength(valuePrefix, "utf8");
  // Bytes, not characters: UTF-8 prefixes of equal bytes are equal, and LEFT then needs no collation.
  const exact = exactBytes(column, facts.charset);
  const matches = `LEFT(${exact}, ${length}) = ${bytes(valuePrefix)}${plan.where}`;
  const table = `${plan.table} r${plan.byKey}`;
  const range = `${afterLiteral === null ? "" : ` WHERE ${key} > ${afterLiteral}`} ORDER BY ${key} LIMIT ${rows}`;
  if (isFirst === "")
    return `SELECT ${keyType.asText(key)}, IF(${matches}, ${column}, NULL) FROM ${table}${range}`;
  // The digest keeps the window's temporary table small and compares bytes, whatever the collation.
  return (
    `SELECT ${keyType.asText(key)}, IF(w.h IS NOT NULL AND w.n = 1${isFirst}, ${column}, NULL) ` +
    "FROM (SELECT k, h, ROW_NUMBER() OVER (PARTITION BY h ORDER BY k) n FROM " +
    `(SELECT ${key} k, IF(${matches}, UNHEX(SHA2(${exact}, 256)), NULL) h FROM ${table}${range}) s) w ` +
    `STRAIGHT_JOIN ${table} ON ${key} = w.k ORDER BY ${key}`
  );
}

export function existingSql(plan: Plan, literals: readonly string[]): string {
  return (
    `SELECT ${plan.keyType.asText(plan.key)} FROM ${plan.table} r${plan.byKey} ` +
    `WHERE ${plan.key} IN (${literals.join(",")})`
  );
}

/** The column is one of `values`, as its collation sees them. */
export function listed(plan: Plan, values: readonly string[]): string {
  return `${plan.column} IN (${values.map((value) => nativeLiteral(plan, value)).join(",")})`;
}

/**
 * The compare-and-set. The first list finds rows through the index as the collation sees them; the second keeps those that
 * are equal byte for byte (no case, accent or padding); the prefix is checked once more where it is cut. At most `most`
 * rows, for a million rows may name one default picture.
 */
export function rewriteSql(
  plan: Plan,
  values: readonly string[],
  change: PrefixChange,
  most: number,
): string {
  const exactly = plan.facts.charset === null ? "" : ` AND ${exactlyListed(plan, values)}`;
  const found = `${listed(plan, values)}${exactly}${withPrefix(plan, change)}`;
  return `UPDATE ${plan.table} r${plan.byColumn} ${setting(plan, change)} WHERE ${found} LIMIT ${most}`;
}

/** The column is one of `values`, byte for byte. */
export function exactlyListed({ column, facts }: Plan, values: readonly string[]): string {
  return `${exactBytes(column, facts.charset)} IN (${values.map(bytes).join(",")})`;
}

/** `SET …`: the prefix is exchanged, and other columns set. */
export function setting(plan: Plan, change: PrefixChange): string {
  const { column, facts, assignments } = plan;
  // SUBSTRING counts characters of a text and bytes of a binary column; JavaScript's length counts neither.
  const cut = facts.charset === null ? Buffer.byteLength(change.from, "utf8") : [...change.from].length;
  return `SET ${column} = CONCAT(${nativeLiteral(plan, change.to)}, SUBSTRING(${column}, ${cut + 1}))${assignments}`;
}

/** ` AND …`: the row has the prefix that is cut off, and is within `where`. */
export function withPrefix({ column, facts, where }: Plan, { from }: PrefixChange): string {
  return ` AND LEFT(${exactBytes(column, facts.charset)}, ${Buffer.byteLength(from, "utf8")}) = ${bytes(from)}${where}`;
}
