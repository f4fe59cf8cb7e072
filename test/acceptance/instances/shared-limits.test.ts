/** Two processes on one store: its limit holds for both together, as the store sees it, and is used. */

import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type Arrival,
  mostInASecond,
  noteArrivals,
  noteStalls,
  type Stalls,
} from "../../support/arrivals.ts";
import { hasEnded } from "../../support/service.ts";
import { expectMovedOnce } from "../../support/worlds/hand-overs.ts";
import {
  type InstancesWorld,
  openInstancesWorld,
  untilTakenOver,
  watchBatches,
} from "../../support/worlds/instances-world.ts";
import { pause } from "../../support/worlds/sandbox-world.ts";

const LEASE_SECONDS = 2;
const LIMIT = 300;
const COUNT = 3_000;
/** Within this time the shares follow a change of processes or jobs. */
const AGREED_MS = 2_500;
const MEASURED_MS = 3_000;

let world: InstancesWorld | undefined;
let stalls: Stalls | undefined;
beforeEach(() => {
  world = undefined;
});
afterEach(async () => {
  stalls?.end();
  await world?.close();
});

it("a store's limit is kept by two processes together, used, by jobs, and all of it by the one that is left", async () => {
  world = await openInstancesWorld(LEASE_SECONDS, { requestsPerSecond: LIMIT });
  const { store, start, submit, running } = world;
  await start("left");
  await start("right");
  await watchBatches(world.ledger);
  store.faults.latencyMs = 20;
  stalls = noteStalls();
  const arrivals = noteArrivals(store, () => performance.now());
  const first = await submit("first", COUNT);
  await untilTakenOver(world, [first], 0);
  await pause(1_500);
  const second = await submit("second", COUNT, "right");
  await untilTakenOver(world, [second], 0);
  const owners = [await world.holder(first), await world.holder(second)].map(({ pid }) =>
    world?.nameOf(pid ?? 0),
  );
  expect(owners).toEqual(["left", "right"]);

  await pause(AGREED_MS);
  const both = await shareOfEach(arrivals);
  console.info("two processes", both);
  expect(both.first + both.second).toBeGreaterThan(0.95);
  for (const share of [both.first, both.second]) expect(share).toBeCloseTo(0.5, 1);

  await running("right").kill("SIGKILL");
  await untilTakenOver(world, [second], (await world.holder(second)).pid ?? 0);
  await pause(LEASE_SECONDS * 1000 + AGREED_MS);
  const one = await shareOfEach(arrivals);
  console.info("one process", one);
  expect(one.first + one.second).toBeGreaterThan(0.95);
  for (const id of [first, second]) await running("left").poll(id, hasEnded, 60_000);
  const fullest = mostInASecond(arrivals.map(({ at }) => at));
  console.info("fullest second", fullest, "longest stall", stalls.longest());
  expect(fullest).toBeLessThanOrEqual(LIMIT * (1.05 + stalls.longest() / 1000));
  await expectMovedOnce(world, { name: "first", id: first, count: COUNT }, 0);
  await expectMovedOnce(world, { name: "second", id: second, count: COUNT }, 1);
}, 120_000);

/** The part of the limit that each job used in the next seconds. */
async function shareOfEach(arrivals: readonly Arrival[]): Promise<{ first: number; second: number }> {
  const from = performance.now();
  await pause(MEASURED_MS);
  const to = performance.now();
  const ranMs = to - from - (stalls?.lostIn(from, to) ?? 0);
  const of = (name: string) =>
    (arrivals.filter(({ at, bucket }) => at >= from && at < to && bucket.startsWith(name)).length * 1000) /
    ranMs /
    LIMIT;
  return { first: of("first"), second: of("second") };
}
