/** Which values are looked for by ranges, how long that is remembered, and what it may cost. */
import { describe, expect, test } from "vitest";
import { ColumnRanges, type Survey } from "../../src/stores/sql/column-ranges.ts";
import type { Plan } from "../../src/stores/sql/mariadb-statements.ts";

const PLAN = {
  column: "c",
  byColumn: " FORCE INDEX (c)",
  facts: { charset: "utf8mb4", collation: "utf8mb4_general_ci" },
} as Plan;

const values = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `k/${String(from + index).padStart(9, "0")}`);

function surveyed(ranges: ColumnRanges, of: readonly string[], now = 0): Survey {
  const survey = ranges.survey(PLAN, of);
  if (survey === null) throw new Error("a survey was expected");
  expect(ranges.surveyed(survey, of.length, now)).toBe(true);
  return survey;
}

const LIST = /^c IN \(/;

describe("a look by ranges", () => {
  test("is of 500 values each, and reads an eighth and fifty rows more at most", () => {
    const survey = new ColumnRanges().survey(PLAN, values(1200));
    expect(survey?.ranges.map((range) => range.length)).toEqual([500, 500, 200]);
    expect(survey?.most).toBe(1200 + 150 + 50);
    expect(survey?.condition).toBe(
      "(c BETWEEN 'k/000000000' AND 'k/000000499' OR c BETWEEN 'k/000000500' AND 'k/000000999' OR " +
        "c BETWEEN 'k/000001000' AND 'k/000001199')",
    );
  });

  test.each([
    ["few values", PLAN, values(19)],
    ["no index by name", { ...PLAN, byColumn: "" }, values(100)],
    [
      "a collation that is not known",
      { ...PLAN, facts: { charset: "utf8mb4", collation: "utf8mb4_czech_ci" } },
      values(100),
    ],
    ["values in no known order", PLAN, [...values(100), "k/é"]],
  ])("is not had for %s", (_, plan, of) => {
    expect(new ColumnRanges().survey(plan as Plan, of)).toBeNull();
  });

  test("that found too much is not relied on, and passed over once, twice, and so on to 64 times", () => {
    const ranges = new ColumnRanges();
    const skipped: number[] = [];
    for (let failure = 0; failure < 9; failure += 1) {
      let passed = 0;
      let survey = ranges.survey(PLAN, values(100));
      for (; survey === null; survey = ranges.survey(PLAN, values(100))) passed += 1;
      skipped.push(passed);
      expect(ranges.surveyed(survey, survey.most, 0)).toBe(false);
      expect(ranges.condition(PLAN, values(100), 0)).toMatch(LIST);
    }
    expect(skipped).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 64]);
  });
});

describe("what rows to change", () => {
  test("by the part of the ranges that the values fill, once; then by list", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(1000));
    const some = values(1000).slice(100, 600);
    expect(ranges.condition(PLAN, some, 0)).toBe(
      "(c BETWEEN 'k/000000100' AND 'k/000000499' OR c BETWEEN 'k/000000500' AND 'k/000000599')",
    );
    expect(ranges.condition(PLAN, some, 0)).toMatch(LIST);
    expect(ranges.condition(PLAN, values(50, 600), 0)).toBe("c BETWEEN 'k/000000600' AND 'k/000000649'");
  });

  test("never between two ranges: nobody has looked there", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, [...values(500), ...values(500, 900_000)]);
    const both = [...values(500).slice(400), ...values(100, 900_000)];
    expect(ranges.condition(PLAN, both, 0)).toBe(
      "(c BETWEEN 'k/000000400' AND 'k/000000499' OR c BETWEEN 'k/000900000' AND 'k/000900099')",
    );
  });

  test("by list what nobody has looked for, and few values of a range", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(500));
    expect(ranges.condition(PLAN, [...values(20), "k/x"], 0)).toBe(
      "(c BETWEEN 'k/000000000' AND 'k/000000019' OR c IN ('k/x'))",
    );
    expect(ranges.condition(PLAN, values(19, 20), 0)).toMatch(LIST);
  });

  test("by list where the values lie in more than eight ranges", () => {
    const ranges = new ColumnRanges();
    const parts = Array.from({ length: 9 }, (_, part) => values(20, part * 1000));
    for (const part of parts) surveyed(ranges, part);
    expect(ranges.condition(PLAN, parts.flat(), 0)).toMatch(LIST);
  });

  test("by list five minutes after the look", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(200), 1000);
    expect(ranges.condition(PLAN, values(100), 301_000)).not.toMatch(LIST);
    expect(ranges.condition(PLAN, values(100, 100), 301_001)).toMatch(LIST);
  });

  test("by list once 50,000 others were looked for", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(100));
    for (let part = 1; part < 50; part += 1) surveyed(ranges, values(1000, part * 1000));
    surveyed(ranges, values(950, 50_000));
    expect(ranges.condition(PLAN, values(50, 50), 0)).not.toMatch(LIST);
    expect(ranges.condition(PLAN, values(50), 0)).toMatch(LIST);
  });
});
