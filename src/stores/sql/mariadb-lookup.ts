/** The text of the look-up of rows by value: a list that is joined where the server can do that, a plain one elsewhere. */

import { isJoined, isPlainInJson, joinedList } from "./mariadb-joined-list.ts";
import { bytes, exactBytes } from "./mariadb-literals.ts";
import { nativeLiteral, type Plan } from "./mariadb-statements.ts";
import { chunksOf } from "./statement-chunks.ts";

/**
 * At most `most` rows that hold one of the values: exactly, or (a plain list) as the column's collation sees it, a
 * superset, from which the caller takes the exact ones. Of a single value only the exact ones, for others must not use up
 * the limit. With `within`, only rows that match `where`. `values` are different from each other.
 */
export function namingSql(
  plan: Plan,
  values: readonly string[],
  within: "anywhere" | "where",
  most: number,
): string {
  const found = `SELECT ${plan.keyType.asText(plan.key)}, ${plan.column} FROM`;
  const rows = `${plan.table} r${plan.byColumn}`;
  const filter = within === "where" ? plan.where : "";
  const joined = joinedList(plan, values);
  if (joined !== null)
    return `${found} ${joined} STRAIGHT_JOIN ${rows} ON ${plan.column} = j.v WHERE ${isJoined(plan)}${filter} LIMIT ${most}`;
  const [only] = values.length === 1 ? values : [];
  const exactly =
    only === undefined ? "" : ` AND ${exactBytes(plan.column, plan.facts.charset)} = ${bytes(only)}`;
  const literals = values.map((value) => nativeLiteral(plan, value)).join(",");
  return `${found} ${rows} WHERE ${plan.column} IN (${literals})${exactly}${filter} LIMIT ${most}`;
}

/**
 * The different ones of `values` in lists that fit in one look-up each, with at most `maxItems` values and `maxBytes` of
 * text. One odd value does not make the list of all others a plain one.
 */
export function lookUpLists(
  plan: Plan,
  values: readonly string[],
  maxItems: number,
  maxBytes: number,
): (readonly string[])[] {
  const all = [...new Set(values)];
  const joined = plan.listedType === null ? [] : all.filter(isPlainInJson);
  const plain = plan.listedType === null ? all : all.filter((value) => !isPlainInJson(value));
  // A joined list escapes its quotes.
  const bytesOf = (value: string) => Buffer.byteLength(nativeLiteral(plan, value)) + 2;
  return [joined, plain].flatMap((list) => chunksOf(list, maxItems, maxBytes, bytesOf));
}
