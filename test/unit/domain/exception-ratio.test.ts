/** The exception guard: when it pauses a job, and its message. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exceedsExceptionRatio, exceptionRatioReason } from "../../../src/domain/exception-ratio.ts";

describe("the exception ratio", () => {
  it.each([
    [1, 100, 0.01, false],
    [2, 100, 0.01, true],
    [99, 99, 0.01, false],
    [1, 100, 0, true],
    [0, 100, 0, false],
    [100, 100, 1, false],
    [100, 100, null, false],
  ])("%i exceptions of %i settled at a limit of %s: %s", (exceptions, settled, limit, trips) => {
    expect(exceedsExceptionRatio(exceptions, settled, limit)).toBe(trips);
  });

  const top = [
    { code: "target_exists", count: 120 },
    { code: "access_denied", count: 7 },
  ] as const;

  it.each([
    [
      { exceptions: 127, settled: 4000, limit: 0.01, top },
      "3.2 % of the objects are exceptions (guards.maxExceptionRatio: 1 %): target_exists 120, access_denied 7",
    ],
    [
      { exceptions: 130, settled: 1000, limit: 0.07, top },
      "13 % of the objects are exceptions (guards.maxExceptionRatio: 7 %): target_exists 120, access_denied 7, others 3",
    ],
    [
      { exceptions: 1001, settled: 100_000, limit: 0.01, top: [] },
      "1.001 % of the objects are exceptions (guards.maxExceptionRatio: 1 %)",
    ],
    // The ledger may have more than this run counted yet.
    [
      { exceptions: 100, settled: 1000, limit: 0.05, top },
      "10 % of the objects are exceptions (guards.maxExceptionRatio: 5 %): target_exists 120, access_denied 7",
    ],
  ])("%j", (facts, reason) => {
    expect(exceptionRatioReason(facts)).toBe(reason);
  });

  it("never tells a share that is not above the limit", () => {
    const facts = fc.record({
      settled: fc.integer({ min: 100, max: 1e6 }),
      limit: fc.integer({ min: 0, max: 999 }),
    });
    fc.assert(
      fc.property(facts, ({ settled, limit: perMille }) => {
        const limit = perMille / 1000;
        const exceptions = Math.floor((settled * perMille) / 1000) + 1;
        const text = exceptionRatioReason({ exceptions, settled, limit, top: [] });
        const [share, told] = text.match(/[\d.]+(?= %)/g)!.map(Number);
        expect(share).toBeGreaterThan(told!);
        expect(told).toBeCloseTo(limit * 100, 9);
      }),
    );
  });
});
