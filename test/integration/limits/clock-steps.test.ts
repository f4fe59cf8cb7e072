/** Somebody sets the clock on the wall while sources wait for the end of their grace: the longer wait holds. */

import { afterEach, beforeEach, expect, it } from "vitest";
import { Scheduler } from "../../../src/jobs/run/scheduler.ts";
import { until } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const HOUR = 3_600_000;
const KEYS = imageKeys(30);
const TARGETS = KEYS.map((key) => key.replace("image/", "avatar/"));
const JOB = { delete: { when: "verified", after: "1h" }, batchSize: 10 };

const warned: string[] = [];
const log = { info() {}, warn: (_: object, message: string) => void warned.push(message), error() {} };
benchForEach({ objects: KEYS, rows: KEYS });
beforeEach(() => {
  warned.length = 0;
  bench.scheduler = new Scheduler(bench.parts, "logged", log);
});
afterEach(() => bench.scheduler.close());

/** Begins the job, or goes on with it, and resolves when it waits in its grace. */
async function graceOf(id: string): Promise<{ readonly ended: Promise<unknown> }> {
  const ended = bench.scheduler.runNow(id);
  await until(async () => (await bench.jobs.get(id)).waiting?.reason === "grace");
  return { ended };
}

/** Long enough for a worker that waits to ask again, and for a heartbeat. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 2_500));

const sources = () => bench.store.listKeys("bucket-a");
const audit = async (id: string) =>
  (await bench.jobs.audit(id, { cursor: null, limit: 100 })).items.map(
    ({ action, detail }) => `${action}: ${detail}`,
  );

it("set forward by two hours, it deletes nothing before the hour is really over, and shows why", async () => {
  const id = await bench.submit(JOB);
  const { ended } = await graceOf(id);
  clock.setWall(2 * HOUR);
  await soon();
  expect(sources()).toEqual(KEYS);
  const job = await bench.jobs.get(id);
  expect(job.waiting).toMatchObject({ reason: "grace" });
  expect(job.waiting?.detail).toContain("the clock was set forward by 2 h");
  expect(Date.parse(job.waiting?.until ?? "")).toBeGreaterThan(clock.now() + HOUR - 60_000);
  expect(warned.join()).toContain("the clock was set forward by 2 h");
  expect((await audit(id)).join()).toContain("clock: the clock was set forward by 2 h");
  clock.advance(HOUR);
  await ended;
  expect((await bench.jobs.get(id)).state).toBe("completed");
  expect([sources(), bench.store.listKeys("bucket-b")]).toEqual([[], TARGETS]);
});

it("set forward before a restart, it deletes nothing before the hour is really over", async () => {
  const id = await bench.submit(JOB);
  const { ended } = await graceOf(id);
  clock.setWall(2 * HOUR);
  await soon();
  await bench.scheduler.close();
  await ended;
  bench.scheduler = new Scheduler(bench.parts, "restarted", log);
  const again = await graceOf(id);
  await soon();
  expect(sources()).toEqual(KEYS);
  clock.advance(HOUR);
  await again.ended;
  expect((await bench.jobs.get(id)).state).toBe("completed");
  expect(sources()).toEqual([]);
});

it("set back by two hours, the wall clock's longer wait holds", async () => {
  const id = await bench.submit(JOB);
  const { ended } = await graceOf(id);
  clock.setWall(-2 * HOUR);
  clock.advance(HOUR + 60_000);
  await soon();
  expect(sources()).toEqual(KEYS);
  expect((await bench.jobs.get(id)).waiting).toMatchObject({ reason: "grace" });
  expect((await audit(id)).join()).toContain("clock: the clock was set back by 2 h");
  clock.advance(2 * HOUR);
  await ended;
  expect((await bench.jobs.get(id)).state).toBe("completed");
  expect(sources()).toEqual([]);
});
