/** How the values of a key column travel as text and back, so that paging compares by the column's own type. */

import type { ColumnFacts } from "./mariadb-facts.ts";
import { bytes, canHold, text } from "./mariadb-literals.ts";

/** How a key column's values become text, and text a value. */
export interface KeyType {
  /** SQL that gives the key as exact text. */
  asText(column: string): string;
  /** The literal that stands for `id`, or null when no row can have it. */
  literal(id: string): string | null;
}

const INTEGER: KeyType = {
  // As text: a bigint beyond 2^53 is not a JavaScript number.
  asText: (column) => `CAST(${column} AS CHAR)`,
  literal: (id) => (/^-?\d{1,20}$/.test(id) ? id : null),
};

const DECIMAL: KeyType = {
  asText: (column) => `CAST(${column} AS CHAR)`,
  literal: (id) => (/^-?\d{1,65}(\.\d{1,38})?$/.test(id) ? id : null),
};

const BINARY: KeyType = {
  asText: (column) => `HEX(${column})`,
  literal: (id) => (/^([0-9A-F]{2})*$/.test(id) ? (id === "" ? bytes("") : `X'${id}'`) : null),
};

const QUOTED: KeyType = {
  asText: (column) => `CAST(${column} AS CHAR)`,
  literal: text,
};

function characters(charset: string | null): KeyType {
  return {
    asText: (column) => column,
    literal: (id) => (canHold(charset, id) === true ? text(id) : null),
  };
}

/**
 * The type of a key column, null where rows cannot be paged by it: FLOAT and DOUBLE have no exact text, ENUM and SET
 * sort by number but compare as text, TIMESTAMP repeats an hour each autumn.
 */
export function keyTypeOf({ dataType, charset }: ColumnFacts): KeyType | null {
  if (/^(tiny|small|medium|big)?int$/.test(dataType)) return INTEGER;
  if (dataType === "decimal") return DECIMAL;
  if (/^(char|varchar|(tiny|medium|long)?text)$/.test(dataType)) return characters(charset);
  if (/^(binary|varbinary|(tiny|medium|long)?blob)$/.test(dataType)) return BINARY;
  if (/^(uuid|inet4|inet6|date|datetime|time|year)$/.test(dataType)) return QUOTED;
  return null;
}
