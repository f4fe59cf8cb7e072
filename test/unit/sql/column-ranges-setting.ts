/** The plan, the values and the look that the tests of a column's ranges share. */
import { expect } from "vitest";
import type { ColumnRanges, Survey } from "../../../src/stores/sql/column-ranges.ts";
import type { Plan } from "../../../src/stores/sql/mariadb/mariadb-statements.ts";

export const PLAN = {
  column: "c",
  order: "folded",
  facts: { charset: "utf8mb4", collation: "utf8mb4_general_ci" },
} as Plan;

/** Whatever a condition says, it holds in a column of this collation alone. */
export const inOrder = (condition: string) => `${condition} AND COLLATION(c) = 'utf8mb4_general_ci'`;

export const values = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `k/${String(from + index).padStart(9, "0")}`);

/** A survey that finds a row for each value, and `others`. */
export function surveyed(
  ranges: ColumnRanges,
  of: readonly string[],
  now = 0,
  others: readonly string[] = [],
): Survey {
  const findRowsToRewrite = ranges.findRowsToRewrite(PLAN, of);
  if (findRowsToRewrite === null) throw new Error("a survey was expected");
  expect(ranges.surveyed(findRowsToRewrite, [...of, ...others], now)).toBe(true);
  return findRowsToRewrite;
}
