/** When connections are made anew for want of a right: seldom by themselves, at once when work begins, never without need. */

import { expect, it } from "vitest";
import { RightsGeneration } from "../../../src/stores/sql/mariadb/rights-generation.ts";

it("refusals make a new generation every fifteen seconds at most", () => {
  const rights = new RightsGeneration();
  const generations = [0, 1, 14_999, 15_000, 16_000, 29_999, 30_000].map((now) => {
    rights.denied(now);
    return rights.generation;
  });
  expect(generations).toEqual([1, 1, 1, 2, 2, 2, 3]);
});

it("work that begins makes one at once, each time, where something was refused before, and none otherwise", () => {
  const rights = new RightsGeneration();
  rights.askAnew();
  expect(rights.generation).toBe(0);
  rights.denied(0);
  rights.askAnew();
  rights.askAnew();
  expect(rights.generation).toBe(3);
});
