/** How much is remembered of ranges, for how long, and that remembering stays cheap. */

import { describe, expect, test } from "vitest";
import { RangeMemory } from "../../../src/stores/sql/range-memory.ts";

const MOST = 50_000;
const AS_LONG_MS = 300_000;

const values = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `k/${String(from + index).padStart(9, "0")}`);

describe("what is remembered of ranges", () => {
  test("is where values lie in theirs, whatever their order", () => {
    const memory = new RangeMemory();
    memory.remember([values(100), values(50, 500)], "ci", 0);
    const [a, b, c, other] = ["k/000000070", "k/000000020", "k/000000510", "k/unseen"];
    expect(memory.take([a, b, other, c], 1)).toEqual({
      parts: [
        { values: [a, b], ofValues: 100, collation: "ci", firstValue: b, lastValue: a, span: 51 },
        { values: [c], ofValues: 50, collation: "ci", firstValue: c, lastValue: c, span: 1 },
      ],
      unknown: [other],
    });
  });

  test("is forgotten when it was taken", () => {
    const memory = new RangeMemory();
    memory.remember([values(10)], "ci", 0);
    memory.take(values(10), 1);
    expect(memory.take(values(10), 2)).toEqual({ parts: [], unknown: values(10) });
  });

  test("is the place seen last", () => {
    const memory = new RangeMemory();
    memory.remember([values(10)], "ci", 0);
    memory.remember([values(20, 5)], "ci", AS_LONG_MS);
    const { parts, unknown } = memory.take(values(10), AS_LONG_MS + 1);
    expect(parts.map(({ values: { length }, ofValues }) => [length, ofValues])).toEqual([[5, 20]]);
    expect(unknown).toEqual(values(5));
  });

  test.each([
    [AS_LONG_MS, 10],
    [AS_LONG_MS + 1, 0],
  ])("counts for five minutes: after %i ms, %i of ten values", (ms, count) => {
    const memory = new RangeMemory();
    memory.remember([values(10)], "ci", 0);
    expect(memory.take(values(10), ms).parts.flatMap((part) => part.values)).toHaveLength(count);
  });

  test("is of 50,000 values at most, the youngest", () => {
    const memory = new RangeMemory();
    for (let from = 0; from < MOST; from += 500) memory.remember([values(500, from)], "ci", 0);
    // Seen again, and so the youngest of all.
    memory.remember([values(500)], "ci", 1);
    memory.remember([values(500, MOST)], "ci", 1);
    expect(memory.take(values(500, 500), 2).parts).toEqual([]);
    expect(memory.take([...values(500), ...values(MOST - 500, 1000)], 2).unknown).toEqual([]);
  });
});

describe("remembering", () => {
  test("costs a batch hardly more where many are under way", () => {
    const [alone, amongMany] = [bestOf(3, () => msOf(0)), bestOf(3, () => msOf(20))];
    // 1.4 to 1.6 times; 40 times where each value looks for the oldest one.
    expect(amongMany / alone).toBeLessThan(6);
  });
});

/** Milliseconds for 100 batches of 1,000 values, each taken when `under` younger ones are remembered. */
function msOf(under: number): number {
  const memory = new RangeMemory();
  const batches = Array.from({ length: 100 }, (_, index) => values(1000, index * 1000));
  const begun = performance.now();
  for (const [index, batch] of batches.entries()) {
    memory.remember([batch.slice(0, 500), batch.slice(500)], "ci", index);
    memory.take(batches[index - under] ?? [], index);
  }
  return performance.now() - begun;
}

function bestOf(times: number, measure: () => number): number {
  return Math.min(...Array.from({ length: times }, measure));
}
