/** A pace lets through what it promises: never more than its rate over any second, and nearly all of it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pace } from "../../src/domain/pace.ts";

/** Eager callers for `seconds`: each asks as soon as the one before may go. Gives the moments they went at. */
function goAsFastAsAllowed(pace: Pace, units: number, seconds: number): number[] {
  const went: number[] = [];
  const start = 5_000;
  for (let now = start; now < start + seconds * 1000; ) {
    now += pace.reserve(units, now);
    went.push(now);
  }
  return went;
}

function mostInAnySecond(went: readonly number[], units: number): number {
  let most = 0;
  let first = 0;
  for (const [last, at] of went.entries()) {
    while (at - (went[first] ?? at) >= 1000) first += 1;
    most = Math.max(most, (last - first + 1) * units);
  }
  return most;
}

describe("a pace", () => {
  it("over any sliding second never passes its rate by more than 5 % and uses at least 95 % of it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 5000 }), (rate) => {
        const went = goAsFastAsAllowed(new Pace(rate), 1, 4);
        // One unit more: a window that begins exactly at a unit holds both of its ends.
        expect(mostInAnySecond(went, 1)).toBeLessThanOrEqual(rate * 1.05 + 1);
        expect(went.length / 4).toBeGreaterThanOrEqual(rate * 0.95);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps slow rates as well, to the unit", () => {
    for (const rate of [0.5, 1, 3, 10]) {
      const went = goAsFastAsAllowed(new Pace(rate), 1, 60);
      expect(mostInAnySecond(went, 1)).toBeLessThanOrEqual(rate + 2);
      expect(went.length / 60).toBeGreaterThanOrEqual(rate * 0.95);
      expect(went.length / 60).toBeLessThanOrEqual(rate * 1.05 + 0.1);
    }
  });

  it("keeps its rate over time for bulk reservations larger than a second's worth", () => {
    const went = goAsFastAsAllowed(new Pace(100), 1000, 200);
    expect((went.length - 1) * 1000).toBeLessThanOrEqual(200 * 100 + 1000);
  });

  it("does not save up what was not used", () => {
    const pace = new Pace(100);
    pace.reserve(1, 0);
    const waits = Array.from({ length: 200 }, () => pace.reserve(1, 1_000_000));
    expect(waits.filter((wait) => wait === 0).length).toBeLessThanOrEqual(6);
  });

  it("without a rate never makes anybody wait, and takes a new rate from then on", () => {
    const pace = new Pace(null);
    expect(pace.reserve(1e9, 0)).toBe(0);
    pace.setRate(10);
    expect(pace.perSecond).toBe(10);
    pace.reserve(10, 1000);
    expect(pace.reserve(1, 1000)).toBeGreaterThan(800);
    pace.setRate(null);
    expect(pace.reserve(1, 1000)).toBe(0);
  });

  it("orders waits by the order of asking", () => {
    const pace = new Pace(20);
    const waits = Array.from({ length: 50 }, () => pace.reserve(1, 10_000));
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  });
});
