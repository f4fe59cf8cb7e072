/** How small the statements that lock rows may be, when all together are to be three for a thousand objects. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StatementBudget } from "../../../src/stores/sql/statement-budget.ts";

/** Batches of a thousand, each with `reads` reading statements; gives how many statements rewrite each batch. */
function rewritesOf(batches: number, reads: (batch: number) => number): number[] {
  const budget = new StatementBudget();
  return Array.from({ length: batches }, (_, batch) => {
    for (let n = 0; n < reads(batch); n += 1) budget.sent("read");
    const rewrites = Math.ceil(1000 / budget.valuesInEach(1000));
    for (let n = 0; n < rewrites; n += 1) budget.sent("rewrite");
    return rewrites;
  });
}

describe("the statements of a job", () => {
  it("rewrite 500 rows each where four batches share a look-up and two a look before deletion", () => {
    const rewrites = rewritesOf(40, (batch) => (batch % 4 === 0 ? 1 : 0) + (batch % 2));
    expect(rewrites).toEqual(Array.from({ length: 40 }, () => 2));
  });

  it("rewrite a thousand at a time as soon as every batch is read twice", () => {
    const rewrites = rewritesOf(40, () => 2);
    expect(rewrites.slice(-30)).toEqual(Array.from({ length: 30 }, () => 1));
  });

  it("are never more than three for a thousand objects and three ahead, unless reading alone is", () => {
    const reads = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(reads, (each) => {
        const rewrites = rewritesOf(each.length, (batch) => each[batch] ?? 0);
        const sent = [...each, ...rewrites].reduce((sum, statements) => sum + statements, 0);
        expect(sent).toBeLessThanOrEqual(3 * each.length + 3);
      }),
    );
  });

  it("are counted as soon as they are allowed: batches are rewritten at the same time", () => {
    const budget = new StatementBudget();
    for (let batch = 0; batch < 8; batch += 1) for (let n = 0; n < 2; n += 1) budget.sent("read");
    const rewrites = Array.from({ length: 8 }, () => Math.ceil(1000 / budget.valuesInEach(1000)));
    const sum = rewrites.reduce((all, one) => all + one, 0);
    expect(16 + sum).toBeLessThanOrEqual(3 * 8 + 3);
    for (let n = 0; n < sum; n += 1) budget.sent("rewrite");
    // What was promised and sent is not counted twice.
    expect(budget.valuesInEach(2000)).toBeLessThanOrEqual(500);
  });

  it("rewrite a few rows in one statement", () => {
    const budget = new StatementBudget();
    expect(Math.ceil(400 / budget.valuesInEach(400))).toBe(1);
    expect(budget.valuesInEach(0)).toBe(500);
  });
});
