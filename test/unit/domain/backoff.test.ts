/** Waits between attempts: bounded, growing, and spread out from zero. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../../src/domain/rates/backoff.ts";

const rule = { firstMs: 100, mostMs: 5_000 };

describe("backing off", () => {
  it("doubles its bound with each attempt up to the most", () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => backoffMs(rule, attempt, 1));
    expect(bounds).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it("spreads from nothing to the bound, and stays finite after any number of attempts", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const wait = backoffMs(rule, attempt, random);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(rule.mostMs);
          expect(wait).toBeCloseTo(random * backoffMs(rule, attempt, 1), 6);
        },
      ),
    );
  });
});
