/** How many values a rewriting statement takes after statements of which length. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StatementSize } from "../../../src/stores/sql/mariadb/statement-size.ts";

/** Lets the size learn from a table where each value takes `msAValue`, until it has settled. */
function settledOn(msAValue: number, size = new StatementSize(1000, 40)): StatementSize {
  for (let n = 0; n < 60; n += 1) size.took(size.values, size.values * msAValue);
  return size;
}

describe("the size of a rewriting statement", () => {
  test.each([
    ["a usual table", 0.015, 1000, 1000],
    ["a table that takes just under the limit", 0.039, 1000, 1000],
    ["a table with many indexes", 0.1, 200, 400],
    ["a very slow table", 0.5, 50, 80],
    ["a table where even the least takes long", 5, 50, 50],
  ])("%s", (_, msAValue, least, most) => {
    const { values } = settledOn(msAValue);
    expect(values).toBeGreaterThanOrEqual(least);
    expect(values).toBeLessThanOrEqual(most);
  });

  test("one long statement among short ones changes nothing, two in a row halve it", () => {
    const size = new StatementSize(1000, 40);
    for (let n = 0; n < 10; n += 1) {
      size.took(1000, 200);
      size.took(1000, 20);
    }
    expect(size.values).toBe(1000);
    size.took(1000, 41);
    size.took(1000, 41);
    expect(size.values).toBe(500);
  });

  test("it grows back once the table is quick again, slowly", () => {
    const size = settledOn(0.5);
    const before = size.values;
    size.took(before, before * 0.01);
    expect(size.values).toBe(before + 100);
    expect(settledOn(0.01, size).values).toBe(1000);
  });

  test("a statement over a few values, slow for its start alone, makes the size neither smaller nor larger", () => {
    const size = new StatementSize(1000, 40);
    size.took(1000, 60);
    size.took(1000, 60);
    for (let n = 0; n < 10; n += 1) size.took(1, 3);
    expect(size.values).toBe(500);
  });

  test("any times: settled, no statement takes longer than 40 ms, unless the least does", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.8, noNaN: true }), (msAValue) => {
        expect(settledOn(msAValue).values * msAValue).toBeLessThanOrEqual(40);
      }),
    );
  });

  test("values are parted evenly", () => {
    const size = settledOn(0.1);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 2000 }), (count, most) => {
        const part = size.evenly(count, most);
        expect(part).toBeGreaterThanOrEqual(1);
        expect(part).toBeLessThanOrEqual(Math.min(most, size.values));
        expect(Math.ceil(count / part)).toBe(Math.ceil(count / Math.min(most, size.values)));
      }),
    );
  });
});
