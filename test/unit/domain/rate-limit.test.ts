/** A rate limit: never more than its limit in any second, and nearly all of it used. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";

const START = 5_000_000;

/** How an event loop wakes a sleeper: in whole milliseconds, late, and now and then after a stall. */
interface Lateness {
  /** 0–3 ms more for the nth sleep. */
  lateMs(nth: number): number;
}

/** A sender that always has more to send and is woken late; gives the moments when units were sent. */
function sendEagerly(rateLimit: RateLimit, seconds: number, lateness: Lateness): number[] {
  const went: number[] = [];
  let nth = 0;
  for (let now = START; now < START + seconds * 1000; nth += 1) {
    for (; rateLimit.waitMs(1, now) === 0; went.push(now)) rateLimit.take(1, now);
    now += Math.max(1, Math.ceil(rateLimit.waitMs(1, now))) + lateness.lateMs(nth);
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

/** 5 % more than the limit; small limits cannot be exceeded by a part of a unit. */
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

describe("a rate limit", () => {
  it("holds over any sliding second and is used to 95 %, though timers fire late and in clumps", () => {
    fc.assert(
      fc.property(rates, lateness, (rate, late) => {
        const went = sendEagerly(new RateLimit(rate), 8, late);
        expect(mostInAnySecond(went)).toBeLessThanOrEqual(mostAllowed(rate));
        // A fifth of a second is lost at the beginning, one lateness at the end; slow limits count in whole units.
        expect(went.length + 1).toBeGreaterThanOrEqual(rate * 0.95 * (8 - 0.26));
      }),
      { numRuns: 150 },
    );
  });

  it("holds whatever is sent when", () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 300 })), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(rates, arrivals, (rate, bursts) => {
        const rateLimit = new RateLimit(rate);
        const went: number[] = [];
        let now = START;
        for (const [pauseMs, size] of bursts) {
          now += pauseMs;
          for (let sent = 0; sent < size && rateLimit.waitMs(1, now) === 0; sent += 1) {
            rateLimit.take(1, now);
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
      const went = sendEagerly(new RateLimit(rate), 60, onTime);
      expect(mostInAnySecond(went)).toBeLessThanOrEqual(Math.ceil(rate));
      expect(went.length / 60).toBeGreaterThanOrEqual(rate * 0.95);
    }
  });

  it("keeps its limit over time for units larger than a second's worth", () => {
    const rateLimit = new RateLimit(100);
    let sent = 0;
    for (let now = START; now < START + 200_000; now += 10) {
      if (rateLimit.waitMs(1000, now) > 0) continue;
      rateLimit.take(1000, now);
      sent += 1000;
    }
    expect(sent).toBeGreaterThanOrEqual(200 * 100);
    expect(sent).toBeLessThanOrEqual(200 * 100 + 1000);
  });

  it("allows any second at most one large unit too much", () => {
    const rateLimit = new RateLimit(1_000_000);
    const went: number[] = [];
    for (let now = START; now < START + 20_000; now += 1) {
      if (rateLimit.waitMs(300_000, now) > 0) continue;
      rateLimit.take(300_000, now);
      went.push(now);
    }
    expect(mostInAnySecond(went) * 300_000).toBeLessThanOrEqual(1_300_000);
    expect(went.length * 300_000).toBeGreaterThanOrEqual(0.95 * 20 * 1_000_000);
  });

  it("does not accumulate what was not used", () => {
    const rateLimit = new RateLimit(100);
    rateLimit.take(1, START);
    let sent = 0;
    for (; rateLimit.waitMs(1, START + 60_000) === 0; sent += 1) rateLimit.take(1, START + 60_000);
    expect(sent).toBeLessThanOrEqual(11);
  });

  it.each([20, 150, 1000])(
    "of %d begins with four fifths of it, evenly, and again after a second of silence",
    (rate) => {
      const rateLimit = new RateLimit(rate);
      for (const began of [START, START + 5000]) {
        const went: number[] = [];
        for (let now = began; now < began + 3000; now += 1) {
          for (; rateLimit.waitMs(1, now) === 0; went.push(now - began)) rateLimit.take(1, now);
        }
        const until = (ms: number) => went.filter((at) => at < ms).length;
        for (const ms of [50, 100, 500, 1000]) {
          expect(until(ms)).toBeLessThanOrEqual((0.8 * rate * ms) / 1000 + 1);
        }
        expect(until(1000)).toBeGreaterThanOrEqual(0.78 * rate);
        expect(until(3000) - until(1000)).toBeGreaterThanOrEqual(1.95 * rate);
      }
    },
  );

  it("holds at the other end from the first unit on, though the first come up to 200 ms late, all at once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 3000 }), fc.integer({ min: 0, max: 200 }), (rate, lateMs) => {
        const came = sendEagerly(new RateLimit(rate), 3, onTime).map((at) => Math.max(at, START + lateMs));
        expect(mostInAnySecond(came)).toBeLessThanOrEqual(mostAllowed(rate));
      }),
      { numRuns: 100 },
    );
  });

  it("does not begin anew for a limit of less than one a second, nor for a clock that was set back", () => {
    const slow = sendEagerly(new RateLimit(0.5), 60, onTime);
    expect(slow.length).toBeGreaterThanOrEqual(29);
    const rateLimit = new RateLimit(100);
    rateLimit.take(1, START);
    for (let now = START - 60_000; now < START - 58_000; now += 1)
      if (rateLimit.waitMs(1, now) === 0) rateLimit.take(1, now);
    let went = 0;
    for (let now = START - 58_000; now < START - 57_000; now += 1) {
      for (; rateLimit.waitMs(1, now) === 0; went += 1) rateLimit.take(1, now);
    }
    expect(went).toBeGreaterThanOrEqual(95);
  });

  it.each([20, 100])("of %d counts reserved units in the second in which they are sent", (rate) => {
    const rateLimit = new RateLimit(rate);
    const late: number[] = [];
    const went: number[] = [];
    let wanted = 0;
    for (let now = START; now < START + 20_000; now += 1) {
      // Every tenth is reserved and sent at least two seconds later, many at once where allowed.
      if (now % (10_000 / rate) === 0) wanted += 1;
      if (wanted > 0 && rateLimit.reservation.waitMs(1, now) === 0) {
        rateLimit.reservation.take(1, now);
        late.push(now);
        wanted -= 1;
      }
      for (; rateLimit.waitMs(1, now) === 0; went.push(now)) rateLimit.take(1, now);
      const [paidAt] = late;
      if (paidAt === undefined || now < paidAt + 2000 || now % 3000 < 1000) continue;
      if (rateLimit.dispatch.waitMs(1, now) > 0) continue;
      rateLimit.dispatch.take(1, now);
      late.shift();
      went.push(now);
    }
    expect(late.length).toBeGreaterThan(0);
    expect(mostInAnySecond(went)).toBeLessThanOrEqual(mostAllowed(rate));
    // Sending takes nothing more from the average.
    expect(went.length + late.length).toBeGreaterThanOrEqual(0.95 * rate * (20 - 0.2));
  });

  it("lets no reservation overtake units that are sent at once, though the second is full", () => {
    const rateLimit = new RateLimit(6);
    let full = 0;
    for (let now = START; now < START + 20_000; now += 1) {
      const waitMs = rateLimit.waitMs(1, now);
      expect(rateLimit.reservation.waitMs(1, now)).toBe(waitMs);
      if (rateLimit.capacityAt(now) < 1) full += 1;
      if (waitMs === 0) rateLimit.take(1, now);
    }
    expect(full).toBeGreaterThan(0);
  });

  it("without a limit allows reserved units at once", () => {
    const rateLimit = new RateLimit(null);
    rateLimit.reservation.take(1000, START);
    expect(rateLimit.reservation.waitMs(1000, START)).toBe(0);
    expect(rateLimit.dispatch.waitMs(1000, START)).toBe(0);
  });

  it("without a limit has no waits, and follows one that is set", () => {
    const rateLimit = new RateLimit(null);
    rateLimit.take(1e9, START);
    expect(rateLimit.waitMs(1e9, START)).toBe(0);
    rateLimit.setRate(10, START);
    expect(rateLimit.perSecond).toBe(10);
    rateLimit.take(10, START);
    expect(rateLimit.waitMs(1, START)).toBeGreaterThan(800);
    rateLimit.setRate(null, START);
    expect(rateLimit.waitMs(1, START)).toBe(0);
  });

  it.each([
    [1, 1000],
    [10, 500],
    [1000, 100],
    [3000, 1],
  ])("changed from %i to %i a second is the new limit within two seconds", (before, after) => {
    const rateLimit = new RateLimit(before);
    sendEagerly(rateLimit, 5, onTime);
    // A minute's worth has just been sent at once.
    rateLimit.take(before * (before < after ? 60 : 0), START + 5000);
    rateLimit.setRate(after, START + 5000);
    const went: number[] = [];
    for (let now = START + 5000; now < START + 15_000; now += 1) {
      for (; rateLimit.waitMs(1, now) === 0; went.push(now)) rateLimit.take(1, now);
    }
    const later = went.filter((at) => at >= START + 7000);
    expect(mostInAnySecond(later)).toBeLessThanOrEqual(mostAllowed(after));
    expect(later.length).toBeGreaterThanOrEqual(Math.floor(8 * after * 0.95));
  });

  it("is not stopped by a clock that was set back", () => {
    const rateLimit = new RateLimit(100);
    for (; rateLimit.waitMs(1, START) === 0; ) rateLimit.take(1, START);
    expect(rateLimit.waitMs(1, START - 3_600_000)).toBeLessThanOrEqual(1100);
  });

  it("books ahead in the order of calls", () => {
    const rateLimit = new RateLimit(20);
    const waits = Array.from({ length: 50 }, () => rateLimit.reserve(1, START));
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
    expect(waits.at(-1)).toBeGreaterThan(2000);
  });
});
