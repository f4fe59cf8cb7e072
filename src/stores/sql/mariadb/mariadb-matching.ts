/** The text of the search for rows by value and by prefix, in one statement. */

import type { RowSearch } from "../../../ports/reference-table.ts";
import { bytes } from "./mariadb-literals.ts";
import { findRowsSql } from "./mariadb-lookup.ts";
import { exactBytes, nativeLiteral, type Plan } from "./mariadb-statements.ts";

/**
 * Rows for all lists, at most `most` for values and for prefixes and one for each sample; supersets by the column's
 * collation, from which the caller takes the exact ones. Of a single prefix only exact ones, for others must not use up the
 * limit. The lists fit in one statement and hold different strings that the column's character set has. Several SELECTs,
 * because the joined list is the quickest for values (decision 13), and a row would otherwise be compared with every prefix.
 */
export function matchingSql(plan: Plan, { values, prefixes, samples }: RowSearch, most: number): string {
  const parts = samples.map((sample) => prefixSql(plan, [sample], 1));
  if (prefixes.length > 0) parts.unshift(prefixSql(plan, prefixes, most));
  if (values.length > 0) parts.unshift(findRowsSql(plan, values, "anywhere", most));
  return parts.map((part) => `(${part})`).join(" UNION ALL ");
}

/**
 * A pattern in the column's own collation is a range of its index; `LIKE BINARY` and `COLLATE` are none (seen in MariaDB
 * 10.11). The prefix of one value each, so that a thousand are a thousand short ranges.
 */
function prefixSql(plan: Plan, prefixes: readonly string[], most: number): string {
  const { key, keyType, column, table, byColumn, facts } = plan;
  const like = prefixes.map((prefix) => `${column} LIKE ${nativeLiteral(plan, patternOf(prefix))}`);
  const [only] = prefixes.length === 1 ? prefixes : [];
  const exactly =
    only === undefined
      ? ""
      : ` AND LEFT(${exactBytes(column, facts.charset)}, ${Buffer.byteLength(only)}) = ${bytes(only)}`;
  const condition = `(${like.join(" OR ")})${exactly}`;
  return `SELECT ${keyType.asText(key)}, ${column} FROM ${table} r${byColumn} WHERE ${condition} LIMIT ${most}`;
}

/** The pattern of everything with the prefix; the escape is the server's default, which our sessions' SQL mode leaves on. */
export function patternOf(prefix: string): string {
  return `${prefix.replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`;
}
