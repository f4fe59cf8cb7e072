/** Eight jobs work at once in a process; those outside their windows do not count. */

import { expect, test } from "vitest";
import { until } from "../support/bystander.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { fillStore } from "../support/worlds/workbench.ts";

/** As many as work in one process at once. */
const PLACES = 8;
/** Shut for every day that this test may be run on. */
const SHUT = { timezone: "UTC", open: [{ from: "00:00", to: "24:00" }], closed: daysAround(Date.now()) };

benchForEach();

function daysAround(now: number): string[] {
  return [-1, 0, 1].map((day) => new Date(now + day * 86_400_000).toISOString().slice(0, 10));
}

/** Submits a job of one object under a prefix of its own. */
async function submitOwn(name: string, more: object = {}): Promise<string> {
  fillStore(bench.store, "bucket-a", [`${name}/x`]);
  return bench.submit({
    ...{ name, source: { bucket: "bucket-a", prefix: `${name}/` }, references: [] },
    target: { bucket: "bucket-b", prefix: `${name}/` },
    ...more,
  });
}

test("jobs outside their windows keep no place from one that may work", async () => {
  const shut: string[] = [];
  for (let n = 0; n < PLACES; n += 1) shut.push(await submitOwn(`shut${n}`, { windows: SHUT }));
  bench.scheduler.start();
  await until(() => shut.every((id) => bench.scheduler.running(id)?.isIdle === true));
  const open = await submitOwn("open");
  await until(async () => (await bench.jobs.get(open)).state === "completed");
  for (const id of shut) {
    expect(bench.scheduler.running(id)).not.toBeNull();
    expect(await bench.jobs.get(id)).toMatchObject({ objects: { moved: 0 } });
  }
});

test("jobs that work keep theirs: a ninth begins when one of them has ended", async () => {
  const hold = bench.store.faults.hold({ operation: "CopyObject" });
  const ids: string[] = [];
  for (let n = 0; n <= PLACES; n += 1) ids.push(await submitOwn(`work${n}`));
  const last = ids.at(-1) ?? "";
  bench.scheduler.start();
  await hold.arrival(PLACES);
  bench.scheduler.lookForWork();
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(ids.map((id) => bench.scheduler.running(id) !== null)).toEqual(ids.map((id) => id !== last));
  hold.release();
  await until(async () => (await bench.jobs.get(last)).state === "completed");
});
