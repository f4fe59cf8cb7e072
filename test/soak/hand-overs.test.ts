/** Fifty hand-overs of two jobs between two real processes; `npm run soak`. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { hasEnded } from "../support/service.ts";
import { expectMovedOnce, handOver } from "../support/worlds/hand-overs.ts";
import { type InstancesWorld, openInstancesWorld, watchBatches } from "../support/worlds/instances-world.ts";

const LEASE_SECONDS = 2;
const HAND_OVERS = 50;
const COUNT = 20_000;

let world: InstancesWorld;
beforeAll(async () => {
  world = await openInstancesWorld(LEASE_SECONDS);
  await world.start("left");
  await world.start("right");
  await watchBatches(world.ledger);
});
afterAll(() => world?.close());

it("two jobs change hands fifty times, and nothing is lost or done twice", async () => {
  const jobs = [];
  world.store.faults.latencyMs = 100;
  for (const name of ["first", "second"]) {
    jobs.push({ name, id: await world.submit(name, COUNT), count: COUNT });
  }
  const ids = jobs.map(({ id }) => id);
  const handOvers = await handOver(world, ids, HAND_OVERS);
  const times = handOvers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))];
  process.stdout.write(`hand-overs: ${times.length}; ms median ${at(0.5)}, 90 % ${at(0.9)}, most ${at(1)}\n`);
  expect(at(1)).toBeLessThan(LEASE_SECONDS * 1000 + 5_000);
  for (const id of ids) await world.running("left").poll(id, hasEnded, 120_000);
  for (const job of jobs) {
    const copies = world.store.requests.count("CopyObject", `${job.name}-b`);
    process.stdout.write(`${job.name}: ${job.count} objects, ${copies} copies\n`);
    await expectMovedOnce(world, job, HAND_OVERS);
  }
});
