/** Whole numbers out of a database, where big ones arrive as text: exact, or an error. */

import type { ValueTransformer } from "typeorm";

/** `value` as a number; throws rather than round. */
export function exactNumber(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) {
    throw new RangeError(`the ledger holds a number that cannot be read exactly: ${String(value)}`);
  }
  return number;
}

/** Like {@link exactNumber}, with null for NULL. */
export function exactNumberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : exactNumber(value);
}

/** Reads `bigint` columns; mysql2 gives them as text. */
export const EXACT: ValueTransformer = {
  to: (value: unknown) => value,
  from: exactNumberOrNull,
};
