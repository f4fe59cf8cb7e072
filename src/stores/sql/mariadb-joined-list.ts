/** A list of values as a table that statements join: read by the server once, where a plain list is looked up twice. */

import { exactBytes, text } from "./mariadb-literals.ts";
import type { Plan } from "./mariadb-statements.ts";

/** Space for a joined list, as the server keeps it: its own limit for one in memory is 16 MB. */
const MOST_LISTED_BYTES = 8_000_000;
/** The server stores no longer text in a row (MariaDB documentation, VARCHAR). */
const MOST_LISTED_CHARACTERS = 16_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON has to escape.
const ESCAPED_IN_JSON = /["\\\x00-\x1f]/;

/**
 * Whether `value` may stand in a joined list. Some servers give it as it is written there (MariaDB before the change of
 * `sql/json_table.cc` that brought `st_append_json`): an escaped one would then find no row, without an error.
 */
export function isPlainInJson(value: string): boolean {
  return !ESCAPED_IN_JSON.test(value);
}

/**
 * The values as a table `j` with a column `v`, to be joined in this order: half the work of a plain list, of which the
 * server looks up every value twice before it begins (measured, decision 13). Null where that cannot be done.
 */
export function joinedList({ listedType }: Plan, values: readonly string[]): string | null {
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
export function isJoined({ column, facts }: Plan): string {
  return `${exactBytes(column, facts.charset)} = ${exactBytes("j.v", facts.charset)}`;
}
