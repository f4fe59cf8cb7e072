/** A pace lets through what it promises: never more than its limit over any second, and nearly all of it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pace } from "../../src/domain/pace.ts";

const START = 5_000_000;

/** How an event loop wakes somebody who sleeps: in whole milliseconds, late, and now and then after a stall. */
interface Lateness {
  /** 0–3 ms more for the nth sleep. */
  lateMs(nth: number): number;
}

/** Somebody who always has more to send, and is woken late; gives the moments when units went. */
function sendEagerly(pace: Pace, seconds: number, lateness: Lateness): number[] {
  const went: number[] = [];
  let nth = 0;
  for (let now = START; now < START + seconds * 1000; nth += 1) {
    for (; pace.waitMs(1, now) === 0; went.push(now)) pace.take(1, now);
    now += Math.max(1, Math.ceil(pace.waitMs(1, now))) + lateness.lateMs(nth);
  }
  return went;
}

function mostInAnySecond(went: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [last, at] of went.entries()) {
    while (at - (went[first] ?? at) >= 1000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** 5 % more than the limit; small limits cannot be passed by a part of a unit. */
const mostAllowed = (rate: number) => Math.max(Math.ceil(rate), rate * 1.05);
const onTime: Lateness = { lateMs: () => 0 };
const rates = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 5000 }));
const lateness = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 3 }) },
      { weight: 1, arbitrary: fc.constant(50) },
    ),
    { minLength: 1, maxLength: 50 },
  )
  .map((pattern): Lateness => ({ lateMs: (nth) => pattern[nth % pattern.length] ?? 0 }));

describe("a pace", () => {
  it("holds over any sliding second and is used to 95 %, though timers fire late and in clumps", () => {
    fc.assert(
      fc.property(rates, lateness, (rate, late) => {
        const went = sendEagerly(new Pace(rate), 8, late);
        expect(mostInAnySecond(went)).toBeLessThanOrEqual(mostAllowed(rate));
        // One lateness is lost at the end; slow limits count in whole units.
        expect(went.length + 1).toBeGreaterThanOrEqual(rate * 0.95 * (8 - 0.06));
      }),
      { numRuns: 150 },
    );
  });

  it("holds whatever comes when", () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 300 })), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(rates, arrivals, (rate, bursts) => {
        const pace = new Pace(rate);
        const went: number[] = [];
        let now = START;
        for (const [pauseMs, size] of bursts) {
          now += pauseMs;
          for (let sent = 0; sent < size && pace.waitMs(1, now) === 0; sent += 1) {
            pace.take(1, now);
            went.push(now);
          }
        }
        expect(mostInAnySecond(went)).toBeLessThanOrEqual(mostAllowed(rate));
      }),
      { numRuns: 200 },
    );
  });

  it("keeps slow limits as well, to the unit", () => {
    for (const rate of [0.5, 1, 3, 10]) {
      const went = sendEagerly(new Pace(rate), 60, onTime);
      expect(mostInAnySecond(went)).toBeLessThanOrEqual(Math.ceil(rate));
      expect(went.length / 60).toBeGreaterThanOrEqual(rate * 0.95);
    }
  });

  it("keeps its limit over time for units larger than a second's worth", () => {
    const pace = new Pace(100);
    let sent = 0;
    for (let now = START; now < START + 200_000; now += 10) {
      if (pace.waitMs(1000, now) > 0) continue;
      pace.take(1000, now);
      sent += 1000;
    }
    expect(sent).toBeGreaterThanOrEqual(200 * 100);
    expect(sent).toBeLessThanOrEqual(200 * 100 + 1000);
  });

  it("lets any second hold at most one large unit too much", () => {
    const pace = new Pace(1_000_000);
    const went: number[] = [];
    for (let now = START; now < START + 20_000; now += 1) {
      if (pace.waitMs(300_000, now) > 0) continue;
      pace.take(300_000, now);
      went.push(now);
    }
    expect(mostInAnySecond(went) * 300_000).toBeLessThanOrEqual(1_300_000);
    expect(went.length * 300_000).toBeGreaterThanOrEqual(0.95 * 20 * 1_000_000);
  });

  it("does not save up what was not used", () => {
    const pace = new Pace(100);
    pace.take(1, START);
    let sent = 0;
    for (; pace.waitMs(1, START + 60_000) === 0; sent += 1) pace.take(1, START + 60_000);
    expect(sent).toBeLessThanOrEqual(11);
  });

  it("without a limit never makes anybody wait, and takes a new one from then on", () => {
    const pace = new Pace(null);
    pace.take(1e9, START);
    expect(pace.waitMs(1e9, START)).toBe(0);
    pace.setRate(10, START);
    expect(pace.perSecond).toBe(10);
    pace.take(10, START);
    expect(pace.waitMs(1, START)).toBeGreaterThan(800);
    pace.setRate(null, START);
    expect(pace.waitMs(1, START)).toBe(0);
  });

  it.each([
    [1, 1000],
    [10, 500],
    [1000, 100],
    [3000, 1],
  ])("changed from %i to %i a second is the new limit within two seconds", (before, after) => {
    const pace = new Pace(before);
    sendEagerly(pace, 5, onTime);
    // Somebody has just sent a minute's worth at once.
    pace.take(before * (before < after ? 60 : 0), START + 5000);
    pace.setRate(after, START + 5000);
    const went: number[] = [];
    for (let now = START + 5000; now < START + 15_000; now += 1) {
      for (; pace.waitMs(1, now) === 0; went.push(now)) pace.take(1, now);
    }
    const later = went.filter((at) => at >= START + 7000);
    expect(mostInAnySecond(later)).toBeLessThanOrEqual(mostAllowed(after));
    expect(later.length).toBeGreaterThanOrEqual(Math.floor(8 * after * 0.95));
  });

  it("is not stopped by a clock that was set back", () => {
    const pace = new Pace(100);
    for (; pace.waitMs(1, START) === 0; ) pace.take(1, START);
    expect(pace.waitMs(1, START - 3_600_000)).toBeLessThanOrEqual(1100);
  });

  it("books ahead in the order of asking", () => {
    const pace = new Pace(20);
    const waits = Array.from({ length: 50 }, () => pace.reserve(1, START));
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
    expect(waits.at(-1)).toBeGreaterThan(2000);
  });
});
