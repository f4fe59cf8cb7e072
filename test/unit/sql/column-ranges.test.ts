/** Which values are looked for by ranges, and what is made of the answer. */
import { describe, expect, test } from "vitest";
import { ColumnRanges, type Survey } from "../../../src/stores/sql/column-ranges.ts";
import type { Plan } from "../../../src/stores/sql/mariadb/mariadb-statements.ts";
import { inOrder, PLAN, surveyed, values } from "./column-ranges-setting.ts";

describe("a look by ranges", () => {
  test("is of 500 values each, and reads an eighth and ten rows more at most", () => {
    const findRowsToRewrite = new ColumnRanges().findRowsToRewrite(PLAN, values(1200));
    expect(findRowsToRewrite?.ranges.map((range) => range.length)).toEqual([500, 500, 200]);
    expect(findRowsToRewrite?.most).toBe(1200 + 73 + 73 + 35 + 1);
    expect(findRowsToRewrite?.condition).toBe(
      inOrder(
        "(c BETWEEN 'k/000000000' AND 'k/000000499' OR c BETWEEN 'k/000000500' AND 'k/000000999' OR " +
          "c BETWEEN 'k/000001000' AND 'k/000001199')",
      ),
    );
  });

  test.each([
    ["few values", PLAN, values(19)],
    ["very many", PLAN, values(10_001)],
    ["a column whose order is not known", { ...PLAN, order: null }, values(100)],
    ["values in no order", PLAN, values(100).map((_, index) => values(100)[(index * 37) % 100] ?? "")],
    [
      "values most of which differ in doubtful characters",
      PLAN,
      values(100).map((value, index) => `${"éü"[index % 2]}${value}`),
    ],
  ])("is not had for %s", (_, plan, of) => {
    expect(new ColumnRanges().findRowsToRewrite(plan as Plan, of)).toBeNull();
  });

  test("begins a new range where values descend, or not for certain ascend", () => {
    const of = [
      ...values(100, 500),
      ...values(100),
      ...values(100).map((value) => `${value}é`),
      "k/é",
      "k/f",
    ];
    const findRowsToRewrite = new ColumnRanges().findRowsToRewrite(PLAN, of);
    expect(findRowsToRewrite?.ranges.map((range) => range.length)).toEqual([100, 100, 100, 1, 1]);
  });

  test("that found too much is not relied on, and passed over once, twice, and so on to 64 times", () => {
    const ranges = new ColumnRanges();
    const skipped: number[] = [];
    for (let failure = 0; failure < 9; failure += 1) {
      let passed = 0;
      let findRowsToRewrite = ranges.findRowsToRewrite(PLAN, values(100));
      for (; findRowsToRewrite === null; findRowsToRewrite = ranges.findRowsToRewrite(PLAN, values(100)))
        passed += 1;
      skipped.push(passed);
      expect(ranges.surveyed(findRowsToRewrite, values(findRowsToRewrite.most), 0)).toBe(false);
      expect(ranges.take(PLAN, values(100), 0)).toBeNull();
    }
    expect(skipped).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 64]);
  });
});

describe("after a look", () => {
  const WIDE = values(100);
  const others = (count: number) => Array.from({ length: count }, (_, n) => `k/000000050/${n}`);

  test.each([
    ["found nobody", [], { isComplete: false, passedOver: 1 }],
    ["found others alone", others(1), { isComplete: true, passedOver: 1 }],
    [
      "found more others than rows of a range",
      [...WIDE.slice(50), ...others(24)],
      { isComplete: true, passedOver: 1 },
    ],
    ["found as many rows as it may give", [...WIDE, ...others(24)], { isComplete: false, passedOver: 1 }],
    [
      "found some of its rows, and few others",
      [...WIDE.slice(50), ...others(23)],
      { isComplete: true, passedOver: 0 },
    ],
    ["found all of its rows", WIDE, { isComplete: true, passedOver: 0 }],
  ])("that %s", (_, held, { isComplete, passedOver }) => {
    const ranges = new ColumnRanges();
    const findRowsToRewrite = ranges.findRowsToRewrite(PLAN, WIDE) as Survey;
    expect(ranges.surveyed(findRowsToRewrite, held, 0)).toBe(isComplete);
    const next = [ranges.findRowsToRewrite(PLAN, WIDE), ranges.findRowsToRewrite(PLAN, WIDE)];
    expect(next.filter((each) => each === null)).toHaveLength(passedOver);
  });

  test("that was of use, failures begin at one again", () => {
    const ranges = new ColumnRanges();
    const failures = (count: number) => {
      let passed = 0;
      for (let failure = 0; failure < count; ) {
        const findRowsToRewrite = ranges.findRowsToRewrite(PLAN, WIDE);
        if (findRowsToRewrite === null) passed += 1;
        else {
          ranges.surveyed(findRowsToRewrite, [], 0);
          failure += 1;
        }
      }
      return passed;
    };
    expect(failures(4)).toBe(1 + 2 + 4);
    for (let passed = 0; passed < 8; passed += 1) expect(ranges.findRowsToRewrite(PLAN, WIDE)).toBeNull();
    surveyed(ranges, WIDE);
    expect(failures(3)).toBe(1 + 2);
  });
});
