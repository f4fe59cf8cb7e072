/** The tests' clock without real time: it moves only when nothing else can. */

import { expect, it } from "vitest";
import { yieldToEventLoop } from "../../../src/pacing/yield-to-event-loop.ts";
import { untilIdle, VirtualClock } from "../../support/clocks/virtual-clock.ts";

it("stands still while work yields to the event loop, however often", async () => {
  const clock = new VirtualClock(1000);
  const seen: number[] = [];
  const work = async () => {
    for (let turn = 0; turn < 5; turn += 1) await yieldToEventLoop();
    seen.push(clock.now());
    await clock.sleep(20);
    for (let turn = 0; turn < 5; turn += 1) await yieldToEventLoop();
    seen.push(clock.now());
  };
  const done = work();
  const somebodyElse = clock.sleep(10);
  await clock.runUntil(2000);
  await Promise.all([done, somebodyElse]);
  expect(seen).toEqual([1000, 1020]);
  expect(clock.now()).toBe(2000);
});

it("does not wait for ever for work that yields without end", async () => {
  let next: NodeJS.Immediate | null = null;
  const again = () => {
    next = setImmediate(again);
  };
  again();
  try {
    await expect(untilIdle(50)).rejects.toThrow("still yields");
  } finally {
    if (next !== null) clearImmediate(next);
  }
});
