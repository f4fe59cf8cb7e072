/** Age of evidence when clocks are set or stop. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { ageMs } from "../../../src/domain/evidence-age.ts";

const HOUR = 3_600_000;
const SEEN = { wall: 10 * HOUR, monotonic: HOUR };
const clocks = (wall: number, monotonic: number) => ({
  now: () => SEEN.wall + wall,
  monotonic: () => SEEN.monotonic + monotonic,
});

it.each([
  ["both clocks go on", 500, 500, 500],
  ["the machine slept, and one clock stood still", HOUR, 500, HOUR],
  ["the wall clock was set back a little", 200, 900, 900],
  ["the wall clock was set forward", HOUR, 900, HOUR],
  ["the wall clock was set back behind the look", -1, 900, Number.POSITIVE_INFINITY],
])("where %s, the greater count holds", (_, wall, monotonic, age) => {
  expect(ageMs(SEEN, clocks(wall, monotonic))).toBe(age);
});

it("is never less than what really passed, whatever the wall clock was set to", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: HOUR }), fc.integer({ min: -HOUR, max: HOUR }), (passed, step) => {
      expect(ageMs(SEEN, clocks(passed + step, passed))).toBeGreaterThanOrEqual(passed);
    }),
  );
});
