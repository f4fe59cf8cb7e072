/** `retryTransient`: for how long reads are retried, also when the wall clock is set. */

import { expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { retryTransient } from "../../../src/jobs/submit/retry-transient.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";

const HOUR = 3_600_000;

it.each([
  ["as it is", 0],
  ["set back by two hours", -2 * HOUR],
  ["set forward by two hours", 2 * HOUR],
])("a look at a store that stays away ends within seconds, with the clock %s", async (_, stepMs) => {
  const clock = new HandClock("stands");
  let looks = 0;
  const away = async () => {
    looks += 1;
    if (looks === 2) clock.setWall(stepMs);
    throw new DomainError("store_unavailable", "no connection");
  };
  // Sleeps are long over at once; a look that never ends is cut off.
  clock.sleep = async (ms) => {
    if (looks > 100) throw new Error("it does not end");
    clock.advance(ms);
  };
  await expect(retryTransient(clock, "store a", away)).rejects.toThrow("store a: no connection");
  expect(looks).toBeGreaterThan(3);
  expect(clock.monotonic()).toBeGreaterThanOrEqual(4_000);
  expect(clock.monotonic()).toBeLessThan(6_000);
});
