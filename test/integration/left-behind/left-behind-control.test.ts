/** The look before a job's end is work like any other: windows and operators hold it up, and its waits are shown. */

import { expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { S3Request } from "../../../src/sandbox-s3/protocol/s3-request.ts";
import { moved, until, untilState } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const HOUR = 3_600_000;
const KEYS = imageKeys(20);
const LATE = "image/+late.png";

benchForEach({ objects: KEYS, rows: KEYS });

/** A deletion of several keys: not the request that asks whether the store keeps to conditions. */
const isMany = ({ deletion }: S3Request) => (deletion?.entries.length ?? 0) > 1;

function putLate(): void {
  fillStore(bench.store, "bucket-a", [LATE]);
  bench.addRows([LATE]);
}

function expectAllMoved(): void {
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.paths()).toEqual([...KEYS, LATE].map(moved));
}

const atUtc = (ms: number) => new Date(ms).toISOString().slice(11, 16);

it("waits for the next window when the last one has closed, and says so", async () => {
  const now = clock.now();
  const windows = { timezone: "UTC", open: [{ from: atUtc(now - HOUR), to: atUtc(now + HOUR) }] };
  // Behind those by which the store shows whether it keeps to conditions.
  const deleting = bench.store.faults.hold({ operation: "DeleteObjects", when: isMany });
  const id = await bench.submit({ inventory: { from: "bucket" }, windows });
  const run = bench.work(id);
  await deleting.arrival();
  putLate();
  clock.advance(2 * HOUR);
  const lists = bench.store.requests.count("ListObjectsV2");
  deleting.release();
  await until(async () => (await bench.jobs.get(id)).objects.moved === KEYS.length);
  await until(async () => (await bench.jobs.get(id)).waiting?.reason === "window");
  expect(bench.store.requests.count("ListObjectsV2")).toBe(lists);
  expect(bench.store.listKeys("bucket-a")).toEqual([LATE]);
  clock.advance(22 * HOUR);
  expect(await run).toMatchObject({ state: "completed", objects: { moved: KEYS.length + 1 } });
  expectAllMoved();
});

it.each(["pause", "cancel"] as const)(
  "ends within a second at a %s, whatever it has found",
  async (action) => {
    const deleting = bench.store.faults.hold({ operation: "DeleteObjects", when: isMany });
    const id = await bench.submit({ inventory: { from: "bucket" } });
    const run = bench.work(id);
    await deleting.arrival();
    putLate();
    const looking = bench.store.faults.hold({ operation: "ListObjectsV2", bucket: "bucket-a" }, "after");
    deleting.release();
    await looking.arrival();
    await bench.jobs.act(id, action, "ann");
    const askedAt = performance.now();
    looking.release();
    await run;
    expect(performance.now() - askedAt).toBeLessThan(1000);
    await untilState(bench, id, action === "pause" ? "paused" : "cancelled");
    expect(bench.store.listKeys("bucket-a")).toEqual([LATE]);
    if (action === "cancel") return;
    await bench.jobs.act(id, "resume", "ann");
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: KEYS.length + 1 } });
    expectAllMoved();
  },
);

it("is begun again after the ledger was away, and the job waits meanwhile", async () => {
  const deleting = bench.store.faults.hold({ operation: "DeleteObjects", when: isMany });
  let isAway = true;
  const ask = bench.ledger.lastPlanned.bind(bench.ledger);
  bench.ledger.lastPlanned = async (...args) => {
    if (isAway) throw new DomainError("ledger_unavailable", "it is away");
    return ask(...args);
  };
  const id = await bench.submit({ inventory: { from: "bucket" } });
  const run = bench.work(id);
  await deleting.arrival();
  putLate();
  deleting.release();
  await until(async () => (await bench.jobs.get(id)).waiting?.reason === "database");
  isAway = false;
  expect(await run).toMatchObject({ state: "completed", objects: { moved: KEYS.length + 1 } });
  expectAllMoved();
});
