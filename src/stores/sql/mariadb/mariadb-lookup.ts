/** The text of the look-up of rows by value: a list that is joined where the server can do that, a plain one elsewhere. */

import { chunksOf } from "../statement-chunks.ts";
import { bytes, text } from "./mariadb-literals.ts";
import { exactBytes, nativeLiteral, type Plan } from "./mariadb-statements.ts";

/** Space for a joined list, as the server keeps it: its own limit for one in memory is 16 MB. */
const MOST_LISTED_BYTES = 8_000_000;
/** The server stores no longer text in a row (MariaDB documentation, VARCHAR). */
const MOST_LISTED_CHARACTERS = 16_000;

/**
 * At most `most` rows that hold one of the values: exactly, or (a plain list) as the column's collation sees it, a
 * superset, from which the caller takes the exact ones. Of a single value only the exact ones, for others must not use up
 * the limit. With `within`, only rows that match `where`. `values` are different from each other.
 */
export function findRowsSql(
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
 * The first `most` rows that the index shows to be near `valuePrefix`; the value is NULL in those that do not start with it
 * byte for byte, or do not match `where`. The server turns LIKE into a range of the index, which lacks values whose next
 * character its collation ignores or sorts above U+FFFF (MariaDB 10.11): so the pattern ends before a plain character.
 */
export function startingSql(plan: Plan, valuePrefix: string, most: number): string {
  const { key, keyType, column, table, byColumn, facts, where } = plan;
  const length = Buffer.byteLength(valuePrefix, "utf8");
  const exact = `LEFT(${exactBytes(column, facts.charset)}, ${length}) = ${bytes(valuePrefix)}${where}`;
  const head = valuePrefix.replace(/[!-~][^!-~]*$/, "");
  const pattern = nativeLiteral(plan, `${head.replaceAll(/[|%_]/g, "|$&")}%`);
  return (
    `SELECT ${keyType.asText(key)}, IF(${exact}, ${column}, NULL) FROM ${table} r${byColumn} ` +
    `WHERE ${column} LIKE ${pattern} ESCAPE '|' LIMIT ${most}`
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON has to escape.
const ESCAPED_IN_JSON = /["\\\x00-\x1f]/;

/**
 * Whether `value` may stand in a joined list. Some servers give it as it is written there (MariaDB before the change of
 * `sql/json_table.cc` that brought `st_append_json`): an escaped one would then find no row, without an error.
 */
function isPlainInJson(value: string): boolean {
  return !ESCAPED_IN_JSON.test(value);
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

/**
 * The values as a table `j` with a column `v`, to be joined in this order: half the work of a plain list, of which the
 * server looks up every value twice before it begins (measured, decision 13). Null where that cannot be done.
 */
function joinedList({ listedType }: Plan, values: readonly string[]): string | null {
  const longest = values.reduce((most, value) => Math.max(most, value.length), 1);
  const isTooLarge = longest > MOST_LISTED_CHARACTERS || 4 * longest * values.length > MOST_LISTED_BYTES;
  if (listedType === null || values.length < 2 || isTooLarge || !values.every(isPlainInJson)) return null;
  // Nothing here can fail to be read, but if something did: by default it would be NULL, name no row, and free its object
  // for deletion.
  const strictly = "ERROR ON EMPTY ERROR ON ERROR";
  const column = `v VARCHAR(${longest}) ${listedType} PATH '$' ${strictly}`;
  return `JSON_TABLE(${text(JSON.stringify(values))}, '$[*]' COLUMNS (${column})) j`;
}

/** Byte for byte: of two listed values that are alike to the collation, a row would be found by both. */
function isJoined({ column, facts }: Plan): string {
  return `${exactBytes(column, facts.charset)} = ${exactBytes("j.v", facts.charset)}`;
}
