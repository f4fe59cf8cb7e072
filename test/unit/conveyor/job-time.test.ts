/** A job's own time: what steps of the wall clock do to waits that are measured by it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JobTime, stepText } from "../../../src/conveyor/job-time.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";

const HOUR = 3_600_000;

/** `behindMs`: how far the clock is behind the latest time in the ledger. */
function begun(lagMs = 0, behindMs = 0) {
  const clock = new HandClock("stands");
  const steps: number[] = [];
  const known = { lagMs, seenUntil: clock.now() + behindMs };
  return { clock, steps, time: new JobTime(clock, known, (stepMs) => steps.push(stepMs)) };
}

describe("the job's time", () => {
  it("is the wall clock's while it is not set", () => {
    const { clock, time, steps } = begun();
    clock.advance(5 * HOUR);
    expect([time.now(), time.lagMs, steps]).toEqual([clock.now(), 0, []]);
  });

  it("does not follow a step forward, tells of it once, and says when a wait ends on the wall", () => {
    const { clock, time, steps } = begun();
    const due = time.now() + 24 * HOUR;
    clock.setWall(2 * HOUR);
    expect(time.now()).toBe(due - 24 * HOUR);
    clock.advance(HOUR);
    expect(time.now()).toBe(due - 23 * HOUR);
    expect(time.onTheWall(due)).toBe(clock.now() + 23 * HOUR);
    expect([steps, time.lagMs]).toEqual([[2 * HOUR], 2 * HOUR]);
  });

  it("follows a step back, and a step that takes one back is none", () => {
    const { clock, time, steps } = begun();
    const before = time.now();
    clock.setWall(-2 * HOUR);
    expect(time.now()).toBe(before - 2 * HOUR);
    const { clock: other, time: its } = begun();
    const start = its.now();
    other.setWall(2 * HOUR);
    expect(its.lagMs).toBe(2 * HOUR);
    other.setWall(-2 * HOUR);
    other.advance(HOUR);
    expect([its.now(), its.lagMs]).toEqual([start + HOUR, 0]);
    expect(steps).toEqual([-2 * HOUR]);
  });

  it("goes on with the lag of an earlier run", () => {
    const { clock, time } = begun(2 * HOUR);
    expect(time.now()).toBe(clock.now() - 2 * HOUR);
  });

  it("takes a clock that was behind at the start, and is put right, for what it is: waits do not grow by that", () => {
    const { clock, time, steps } = begun(0, 2000 * HOUR);
    clock.setWall(2000 * HOUR);
    expect([time.lagMs, steps]).toEqual([0, [2000 * HOUR]]);
    clock.setWall(HOUR);
    expect(time.lagMs).toBe(HOUR);
  });

  it("adds small steps up: what is no step by itself is one with the next", () => {
    const { clock, time } = begun();
    for (let i = 0; i < 10; i += 1) {
      clock.setWall(900);
      time.now();
    }
    expect(time.lagMs).toBeGreaterThanOrEqual(8_000);
  });

  it("never ends a wait sooner than a second before the monotonic clock does, whatever is done to the wall", () => {
    const act = fc.record({
      setMs: fc.integer({ min: -HOUR, max: HOUR }),
      passMs: fc.nat(HOUR),
      looks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(act), fc.nat(20), (acts, from) => {
        const { clock, time } = begun();
        let startedAt: { readonly time: number; readonly monotonic: number } | null = null;
        for (const [at, { setMs, passMs, looks }] of acts.entries()) {
          if (at === from) startedAt = { time: time.now(), monotonic: clock.monotonic() };
          clock.setWall(setMs);
          clock.advance(passMs);
          if (looks) time.now();
        }
        if (startedAt === null) return;
        expect(time.now() - startedAt.time).toBeLessThanOrEqual(
          clock.monotonic() - startedAt.monotonic + 1_000,
        );
        expect(time.now()).toBeLessThanOrEqual(clock.now() + 1_000);
      }),
    );
  });
});

it.each([
  [2 * HOUR, "the clock was set forward by 2 h"],
  [-90_500, "the clock was set back by 1 min 31 s"],
  [25 * HOUR + 60_000, "the clock was set forward by 25 h 1 min"],
])("a step of %i ms is told as: %s", (stepMs, text) => {
  expect(stepText(stepMs)).toBe(text);
});
