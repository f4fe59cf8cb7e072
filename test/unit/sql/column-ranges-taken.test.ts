/** Which rows are changed by ranges that were looked at, and when no longer. */
import { describe, expect, test } from "vitest";
import { ColumnRanges, type Survey } from "../../../src/stores/sql/column-ranges.ts";
import { inOrder, PLAN, surveyed, values } from "./column-ranges-setting.ts";

describe("what rows to change", () => {
  test("not by a range of which others hold too much, whatever the ranges beside it hold", () => {
    const ranges = new ColumnRanges();
    const crowd = (count: number) => Array.from({ length: count }, (_, n) => `k/000000250/${n}`);
    surveyed(ranges, values(1000), 0, crowd(74));
    expect(ranges.take(PLAN, values(500), 0)).toBeNull();
    expect(ranges.take(PLAN, values(500, 500), 0)).not.toBeNull();
    surveyed(ranges, values(1000), 0, crowd(73));
    expect(ranges.take(PLAN, values(500), 0)).not.toBeNull();
  });

  test("not by ranges in which rows may lie whose place is not known", () => {
    const ranges = new ColumnRanges();
    const doubtful = Array.from({ length: 74 }, (_, n) => `k/é${n}`);
    surveyed(ranges, values(1000), 0, doubtful);
    expect(ranges.take(PLAN, values(1000), 0)).toBeNull();
  });

  test("not by a range of which every fifth value is left out", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(1000));
    const some = (every: number, from: number) =>
      values(500, from).filter((_, index) => index % every !== every - 1);
    expect(ranges.take(PLAN, some(4, 0), 0)).toBeNull();
    expect(ranges.take(PLAN, some(6, 500), 0)).not.toBeNull();
  });

  test("not by a range in which no row was found of its values", () => {
    const ranges = new ColumnRanges();
    const findRowsToRewrite = ranges.findRowsToRewrite(PLAN, values(100)) as Survey;
    ranges.surveyed(findRowsToRewrite, ["k/000000050/other"], 0);
    expect(ranges.take(PLAN, values(100), 0)).toBeNull();
  });

  test("by the part of the ranges that the values fill, once; then by list", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(1000));
    const some = values(1000).slice(100, 650);
    expect(ranges.take(PLAN, some, 0)).toBe(
      inOrder("(c BETWEEN 'k/000000100' AND 'k/000000499' OR c BETWEEN 'k/000000500' AND 'k/000000649')"),
    );
    expect(ranges.take(PLAN, some, 0)).toBeNull();
    expect(ranges.take(PLAN, values(150, 700), 0)).toBe(inOrder("c BETWEEN 'k/000000700' AND 'k/000000849'"));
  });

  test("never between two ranges: nobody has looked there", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, [...values(500), ...values(500, 900_000)]);
    const both = [...values(500).slice(350), ...values(150, 900_000)];
    expect(ranges.take(PLAN, both, 0)).toBe(
      inOrder("(c BETWEEN 'k/000000350' AND 'k/000000499' OR c BETWEEN 'k/000900000' AND 'k/000900149')"),
    );
  });

  test("by list what nobody has looked for, and few values of a range", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(80));
    expect(ranges.take(PLAN, [...values(20), "k/x"], 0)).toBe(
      inOrder("(c BETWEEN 'k/000000000' AND 'k/000000019' OR c IN ('k/x'))"),
    );
    expect(ranges.take(PLAN, values(19, 20), 0)).toBeNull();
  });

  test("by list the part of a range that is less than a quarter of it", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(500));
    expect(ranges.take(PLAN, values(124), 0)).toBeNull();
    expect(ranges.take(PLAN, values(125, 124), 0)).not.toBeNull();
  });

  test("by list once after a refusal, then twice, and so on until one is served", () => {
    const ranges = new ColumnRanges();
    const passedOver = () => {
      let passed = 0;
      for (; ; passed += 1) {
        surveyed(ranges, values(100));
        if (ranges.take(PLAN, values(100), 0) !== null) return passed;
      }
    };
    const seen = [passedOver()];
    for (let refusal = 0; refusal < 3; refusal += 1) {
      ranges.refused();
      seen.push(passedOver());
    }
    ranges.served();
    ranges.refused();
    expect([...seen, passedOver()]).toEqual([0, 1, 2, 4, 1]);
  });

  test("by list once after two refusals of statements that were under way together", () => {
    const ranges = new ColumnRanges();
    const take = () => {
      surveyed(ranges, values(100));
      return ranges.take(PLAN, values(100), 0) !== null;
    };
    expect([take(), take()]).toEqual([true, true]);
    ranges.refused();
    ranges.refused();
    expect([take(), take()]).toEqual([false, true]);
    ranges.refused();
    expect([take(), take(), take()]).toEqual([false, false, true]);
  });

  test("by list where the values lie in more than eight ranges", () => {
    const ranges = new ColumnRanges();
    const parts = Array.from({ length: 9 }, (_, part) => values(20, part * 1000));
    for (const part of parts) surveyed(ranges, part);
    expect(ranges.take(PLAN, parts.flat(), 0)).toBeNull();
  });

  test("not by the ends of another order than the plan's", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(100));
    const facts = { ...PLAN.facts, collation: "utf8mb4_bin" };
    expect(ranges.take({ ...PLAN, order: "exact", facts }, values(100), 0)).toBeNull();
  });

  test("by list five minutes after the look", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(200), 1000);
    expect(ranges.take(PLAN, values(100), 301_000)).not.toBeNull();
    expect(ranges.take(PLAN, values(100, 100), 301_001)).toBeNull();
  });

  test("by list once 50,000 others were looked for", () => {
    const ranges = new ColumnRanges();
    surveyed(ranges, values(100));
    for (let part = 1; part < 50; part += 1) surveyed(ranges, values(1000, part * 1000));
    surveyed(ranges, values(950, 50_000));
    expect(ranges.take(PLAN, values(50, 50), 0)).not.toBeNull();
    expect(ranges.take(PLAN, values(50), 0)).toBeNull();
  });
});
