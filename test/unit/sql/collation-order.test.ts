/** Which string comes first in a column, and where that cannot be known without its server. */
import { describe, expect, test } from "vitest";
import { asciiOrderOf, compare } from "../../../src/stores/sql/collation-order.ts";

describe("the order of a column", () => {
  test.each([
    ["utf8mb4", "utf8mb4_general_ci", "folded"],
    ["utf8mb3", "utf8mb3_unicode_520_nopad_ci", "folded"],
    ["utf8mb4", "utf8mb4_uca1400_ai_ci", "folded"],
    ["latin1", "latin1_swedish_ci", "folded"],
    ["utf8mb4", "utf8mb4_bin", "exact"],
    ["latin1", "latin1_nopad_bin", "exact"],
    // Languages sort some letters together, or elsewhere.
    ["utf8mb4", "utf8mb4_swedish_ci", null],
    ["utf8mb4", "utf8mb4_danish_ci", null],
    ["utf8mb4", "utf8mb4_czech_ci", null],
    ["latin1", "latin1_german2_ci", null],
    // Case, or an accent, decides where nothing else does.
    ["utf8mb4", "utf8mb4_uca1400_as_cs", null],
    ["utf8mb4", "utf8mb4_uca1400_as_ci", null],
    // MySQL's: not compared.
    ["utf8mb4", "utf8mb4_0900_ai_ci", null],
    ["utf8mb4", "utf8mb3_bin", null],
    ["utf8mb4", null, null],
    [null, null, null],
  ])("%s, %s: %s", (charset, collation, order) => {
    expect(asciiOrderOf({ charset, collation })).toBe(order);
  });
});

describe("two strings", () => {
  test.each([
    ["image/1", "image/2", "folded", -1],
    ["image/9", "image/a", "folded", -1],
    ["image/Z", "image/a", "folded", 1],
    ["image/Z", "image/a", "exact", -1],
    ["IMAGE/a", "image/B", "folded", -1],
    ["image/a", "image/A", "folded", 0],
    ["image/a", "image/A", "exact", 1],
    ["a-b", "a.b", "folded", -1],
    ["a/b", "a0b", "folded", -1],
    ["image", "image/1", "folded", -1],
    ["image/é1", "image/é2", "folded", -1],
    // Letters beyond ASCII, and what collations put before or after them as they like.
    ["image/é", "image/f", "folded", null],
    ["a_b", "a-b", "folded", null],
    ["a_b", "a-b", "exact", 1],
    ["a", "a ", "folded", null],
    ["a", "a ", "exact", null],
    ["a", "a\u0301", "folded", null],
    ["a\u0000", "a", "exact", null],
  ] as const)("%j and %j, %s: %s", (a, b, order, sign) => {
    const there = compare(a, b, order);
    expect(there === null ? null : Math.sign(there) + 0).toBe(sign);
    const back = compare(b, a, order);
    expect(back === null ? null : Math.sign(-back) + 0).toBe(sign);
  });
});
