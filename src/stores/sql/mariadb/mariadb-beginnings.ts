/** The text of the question for rows by value and by what their values begin with, in one statement. */

import { bytes } from "./mariadb-literals.ts";
import { findRowsSql } from "./mariadb-lookup.ts";
import { exactBytes, nativeLiteral, type Plan } from "./mariadb-statements.ts";

/** What one statement asks for; lists that fit in it, of different strings that the column's character set can hold. */
export interface MatchingLists {
  readonly values: readonly string[];
  readonly beginnings: readonly string[];
  readonly samples: readonly string[];
}

/**
 * Rows for all lists, at most `most` for each of the first two and one for each sample; supersets by the column's
 * collation, from which the caller takes the exact ones. Of a single beginning only exact ones, for others must not use up
 * the limit. Several SELECTs, because the joined list is the quickest for values (decision 13), and a row would otherwise
 * be compared with every beginning.
 */
export function matchingSql(
  plan: Plan,
  { values, beginnings, samples }: MatchingLists,
  most: number,
): string {
  const parts = samples.map((sample) => beginningSql(plan, [sample], 1));
  if (beginnings.length > 0) parts.unshift(beginningSql(plan, beginnings, most));
  if (values.length > 0) parts.unshift(findRowsSql(plan, values, "anywhere", most));
  return parts.map((part) => `(${part})`).join(" UNION ALL ");
}

/**
 * A pattern in the column's own collation is a range of its index; `LIKE BINARY` and `COLLATE` are none (seen in MariaDB
 * 10.11). The prefix of one value each, so that a thousand are a thousand short ranges.
 */
function beginningSql(plan: Plan, beginnings: readonly string[], most: number): string {
  const { key, keyType, column, table, byColumn, facts } = plan;
  const like = beginnings.map((beginning) => `${column} LIKE ${nativeLiteral(plan, patternOf(beginning))}`);
  const [only] = beginnings.length === 1 ? beginnings : [];
  const exactly =
    only === undefined
      ? ""
      : ` AND LEFT(${exactBytes(column, facts.charset)}, ${Buffer.byteLength(only)}) = ${bytes(only)}`;
  const condition = `(${like.join(" OR ")})${exactly}`;
  return `SELECT ${keyType.asText(key)}, ${column} FROM ${table} r${byColumn} WHERE ${condition} LIMIT ${most}`;
}

/** Everything that begins so, as a pattern; the escape is the server's usual one, which our sessions' mode leaves on. */
export function patternOf(beginning: string): string {
  return `${beginning.replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`;
}
