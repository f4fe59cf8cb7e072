/** Strings and names as SQL text for MariaDB, column values as strings, and which strings a character set can hold. */

import { escape as escapeText } from "mysql2";
import { DomainError } from "../../../domain/errors.ts";

/** A name in backticks. Names with NUL are refused: no table has one, and the server would stop reading there. */
export function backtickQuoted(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw new DomainError("invalid_input", "a table or column name is empty or contains NUL");
  }
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A string literal in the connection's character set; it takes on the collation of the column it meets. */
export function text(value: string): string {
  return escapeText(value);
}

/** The UTF-8 bytes of `value` as a binary string literal: compared byte for byte, without padding. */
export function bytes(value: string): string {
  return `_binary${escapeText(value)}`;
}

/** A column's value as a string. A binary column's bytes are taken for UTF-8: object keys are nothing else. */
export function textOf(cell: unknown): string {
  return Buffer.isBuffer(cell) ? cell.toString("utf8") : String(cell);
}

/**
 * Whether `charset` holds every character of `value`; null when the character set is not one we know. A string it
 * cannot hold is in no row, and comparing with it would make the server convert the column and leave the index.
 */
export function canHold(charset: string | null, value: string): boolean | null {
  if (!value.isWellFormed()) return false;
  switch (charset) {
    case null:
    case "utf8mb4":
    case "utf16":
    case "utf16le":
    case "utf32":
      return true;
    case "utf8":
    case "utf8mb3":
    case "ucs2":
      return !/[\ud800-\udfff]/.test(value);
    case "ascii":
      return /^[\0-\x7f]*$/.test(value);
    case "latin1":
      return [...value].every(isCp1252);
    default:
      return null;
  }
}

/** MySQL's latin1 is Windows-1252, with its five gaps filled by the C1 controls (MySQL manual, "West European Character Sets"). */
const CP1252 = new Set("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u0081\u008d\u008f\u0090\u009d");

function isCp1252(character: string): boolean {
  const point = character.codePointAt(0) ?? 0;
  return point < 0x80 || (point >= 0xa0 && point <= 0xff) || CP1252.has(character);
}
