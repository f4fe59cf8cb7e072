/** Several instances on one MariaDB ledger: a job has one owner at a time, and a dead or sleeping owner is replaced. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hasEnded, spawnTranship } from "../../support/service.ts";
import { expectMovedOnce, handOver } from "../../support/worlds/hand-overs.ts";
import {
  type InstancesWorld,
  jobCalled,
  openInstancesWorld,
  untilTakenOver,
  watchBatches,
} from "../../support/worlds/instances-world.ts";
import { lastLine, pause } from "../../support/worlds/sandbox-world.ts";

const LEASE_SECONDS = 2;
const HAND_OVERS = 8;
const COUNT = 3_000;
/** What is promised for the usual lease of 10 s. */
const PROMISED_MS = 15_000;

let world: InstancesWorld | undefined;
async function open(leaseSeconds?: number): Promise<InstancesWorld> {
  world = await openInstancesWorld(leaseSeconds);
  await world.start("left");
  await world.start("right");
  await watchBatches(world.ledger);
  return world;
}
beforeEach(() => {
  world = undefined;
});
afterEach(() => world?.close());

it("two jobs change hands again and again, and nothing is lost or done twice", async () => {
  const { submit, running } = await open(LEASE_SECONDS);
  if (world === undefined) return;
  const jobs = [];
  world.store.faults.latencyMs = 100;
  for (const name of ["first", "second"]) {
    jobs.push({ name, id: await submit(name, COUNT), count: COUNT });
  }
  const ids = jobs.map(({ id }) => id);
  const handOvers = await handOver(world, ids, HAND_OVERS);
  for (const { tookMs } of handOvers) expect(tookMs).toBeLessThan(LEASE_SECONDS * 1000 + 5_000);
  for (const id of ids) await running("left").poll(id, hasEnded, 60_000);
  for (const job of jobs) await expectMovedOnce(world, job, HAND_OVERS);
}, 180_000);

it("with the usual lease, another instance has the job within 15 s of kill -9", async () => {
  const { submit, start, running, store } = await open();
  if (world === undefined) return;
  store.faults.latencyMs = 100;
  const id = await submit("usual", 600);
  await untilTakenOver(world, [id], 0);
  const { pid } = await world.holder(id);
  const owner = world.nameOf(pid ?? 0);
  await pause(1_000);
  await running(owner).kill("SIGKILL");
  expect(await untilTakenOver(world, [id], pid ?? 0)).toBeLessThan(PROMISED_MS);
  await start(owner);
  store.faults.latencyMs = 1;
  await running("left").poll(id, hasEnded, 60_000);
  await expectMovedOnce(world, { name: "usual", id, count: 600 }, 1);
}, 120_000);

it("a job in the foreground is refused while another instance works on it", async () => {
  const { submit, running, config, store, directory } = await open(LEASE_SECONDS);
  if (world === undefined) return;
  store.faults.latencyMs = 100;
  const id = await submit("busy", 600);
  await untilTakenOver(world, [id], 0);
  const [job, settings] = [join(directory, "busy.json"), join(directory, "busy-config.json")];
  writeFileSync(job, JSON.stringify(jobCalled("busy")));
  writeFileSync(settings, JSON.stringify(config("right")));
  const ended = await spawnTranship(["run", job, "--config", settings, "--json"]).ended;
  expect(ended, ended.stderr).toMatchObject({ end: 2 });
  expect(lastLine(ended)).toMatchObject({ error: { code: "conflict" } });
  store.faults.latencyMs = 1;
  await running("left").poll(id, hasEnded, 60_000);
  await expectMovedOnce(world, { name: "busy", id, count: 600 }, 0);
}, 60_000);
