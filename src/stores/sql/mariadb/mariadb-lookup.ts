/** The text of the searches for rows by value and by prefix. */

import type { RowSearch } from "../../../ports/reference-table.ts";
import { bytes } from "./mariadb-literals.ts";
import { exactBytes, listed, nativeLiteral, type Plan } from "./mariadb-statements.ts";

/**
 * At most `most` rows that hold one of the values as the column's collation sees it: a superset, from which the caller
 * takes the exact ones. Of a single value only the exact ones, for others must not use up the limit. Within `where`, only
 * rows that match it.
 */
export function findRowsSql(
  plan: Plan,
  values: readonly string[],
  within: "anywhere" | "where",
  most: number,
): string {
  const [only] = values.length === 1 ? values : [];
  const exactly =
    only === undefined ? "" : ` AND ${exactBytes(plan.column, plan.facts.charset)} = ${bytes(only)}`;
  const filter = within === "where" ? plan.where : "";
  return `${selectSql(plan, plan.column)} WHERE ${listed(plan, values)}${exactly}${filter} LIMIT ${most}`;
}

/**
 * The first `most` rows that the index shows to be near `valuePrefix`; the value is NULL in those that do not start with it
 * byte for byte, or do not match `where`. The server turns LIKE into a range of the index, which lacks values whose next
 * character its collation ignores or sorts above U+FFFF (MariaDB 10.11): so the pattern ends before a plain character.
 */
export function startingSql(plan: Plan, valuePrefix: string, most: number): string {
  const { column, where } = plan;
  const value = `IF(${startsWith(plan, valuePrefix)}${where}, ${column}, NULL)`;
  const pattern = patternOf(valuePrefix.replace(/[!-~][^!-~]*$/, ""));
  return `${selectSql(plan, value)} WHERE ${column} LIKE ${nativeLiteral(plan, pattern)} LIMIT ${most}`;
}

/**
 * Rows for all lists of `search`, at most `most` for values and for prefixes and one for each sample; supersets by the
 * column's collation, from which the caller takes the exact ones. The lists fit in one statement and hold different strings
 * that the column's character set has. Several SELECTs, for a row would otherwise be compared with every prefix.
 */
export function matchingSql(plan: Plan, { values, prefixes, samples }: RowSearch, most: number): string {
  const parts = samples.map((sample) => prefixSql(plan, [sample], 1));
  if (prefixes.length > 0) parts.unshift(prefixSql(plan, prefixes, most));
  if (values.length > 0) parts.unshift(findRowsSql(plan, values, "anywhere", most));
  return parts.map((part) => `(${part})`).join(" UNION ALL ");
}

/**
 * Rows with one of the prefixes as the collation sees it; of a single prefix only exact ones, for others must not use up the
 * limit. A pattern in the column's own collation is a range of its index; `LIKE BINARY` and `COLLATE` are none (seen in
 * MariaDB 10.11). The prefix of one value each, so that a thousand are a thousand short ranges.
 */
function prefixSql(plan: Plan, prefixes: readonly string[], most: number): string {
  const patterns = prefixes.map((prefix) => nativeLiteral(plan, patternOf(prefix)));
  const like = patterns.map((pattern) => `${plan.column} LIKE ${pattern}`).join(" OR ");
  const [only] = prefixes.length === 1 ? prefixes : [];
  const exactly = only === undefined ? "" : ` AND ${startsWith(plan, only)}`;
  return `${selectSql(plan, plan.column)} WHERE (${like})${exactly} LIMIT ${most}`;
}

function selectSql({ key, keyType, table, byColumn }: Plan, value: string): string {
  return `SELECT ${keyType.asText(key)}, ${value} FROM ${table} r${byColumn}`;
}

/** Byte for byte. */
function startsWith({ column, facts }: Plan, prefix: string): string {
  return `LEFT(${exactBytes(column, facts.charset)}, ${Buffer.byteLength(prefix)}) = ${bytes(prefix)}`;
}

/** The pattern of everything with the prefix; the escape is the server's default, which our sessions' SQL mode leaves on. */
export function patternOf(prefix: string): string {
  return `${prefix.replaceAll(/[\\%_]/g, "\\$&")}%`;
}
