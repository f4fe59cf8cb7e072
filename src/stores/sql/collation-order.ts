/** Which of two strings a collation puts first, where that is beyond doubt. */

import type { ColumnFacts } from "./mariadb/mariadb-facts.ts";

/**
 * How a column orders `-`, `.`, `/`, digits and letters, all of ASCII. `exact`: by their codes, and all other visible
 * characters of ASCII too. `folded`: so as well, letters as if they were small ones, nothing said of the others.
 */
export type AsciiOrder = "exact" | "folded";

/**
 * What follows the character set's name, of the collations that are compared with the server
 * (`test/contract/collation-order.test.ts`).
 */
const FOLDED =
  /^(general_(nopad_)?ci|general_mysql500_ci|unicode_(520_)?(nopad_)?ci|uca1400_(nopad_)?ai_ci|swedish_(nopad_)?ci)$/;
const EXACT = /^(nopad_)?bin$/;

/**
 * The order of a column's strings; null where it is not known, or the column is binary. Languages have orders of their
 * own (`ch` after `h`, `aa` after `z`), so only collations of no language are known, and latin1's Swedish one, which
 * differs from them beyond ASCII alone.
 */
export function asciiOrderOf({
  charset,
  collation,
}: Pick<ColumnFacts, "charset" | "collation">): AsciiOrder | null {
  const name = collation?.startsWith(`${charset}_`) ? collation.slice(`${charset}_`.length) : null;
  if (name === null || (/swedish/.test(name) && charset !== "latin1")) return null;
  if (EXACT.test(name)) return "exact";
  return FOLDED.test(name) ? "folded" : null;
}

/** Below 0, 0 or above it as for sorting: 0 is equal to the column, not always the same; null is not known. */
export function compare(a: string, b: string, order: AsciiOrder): number | null {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    const [left, right] = [codeAt(a, at, order), codeAt(b, at, order)];
    if (left === right) continue;
    return isOrdered(left, order) && isOrdered(right, order) ? left - right : null;
  }
  if (a.length === b.length) return 0;
  // What ends is before what goes on, and may count as padded with spaces: those are before all that is ordered here.
  const next = codeAt(a.length > b.length ? a : b, shorter, order);
  if (!isOrdered(next, order)) return null;
  return a.length - b.length;
}

const [UPPER_A, UPPER_Z, TO_LOWER] = [0x41, 0x5a, 0x20];

function codeAt(value: string, at: number, order: AsciiOrder): number {
  const code = value.charCodeAt(at);
  return order === "folded" && code >= UPPER_A && code <= UPPER_Z ? code + TO_LOWER : code;
}

/** Whether the order of `code` among all others of which this is true is known. */
function isOrdered(code: number, order: AsciiOrder): boolean {
  if (order === "exact") return code > 0x20 && code < 0x7f;
  // - . / and digits; small letters.
  return (code >= 0x2d && code <= 0x39) || (code >= 0x61 && code <= 0x7a);
}
