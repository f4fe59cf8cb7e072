/** A store that hangs, cuts its connections, is elsewhere or lives at another time: the job goes on and loses nothing. */

import { afterEach, describe, expect, it } from "vitest";
import { expectMoved } from "../../support/expect-moved.ts";
import {
  imageKeys,
  openFilledWorkbench,
  type Workbench,
  type WorkbenchOptions,
} from "../../support/worlds/workbench.ts";

const keys = imageKeys(60);
const MOVED = {
  state: "completed",
  objects: { planned: 60, moved: 60, exceptions: 0 },
  rows: { updated: 60 },
};

let bench: Workbench;
afterEach(() => bench.close());

async function open(options: WorkbenchOptions = {}): Promise<void> {
  bench = await openFilledWorkbench(keys, options);
}

describe("a store that hangs", () => {
  const SHORT = { patience: { timeouts: { requestMs: 250, copyMs: 400 } } };

  it.each([
    ["before it lists", { operation: "ListObjectsV2", effect: { type: "hang" } }],
    ["before it copies", { operation: "CopyObject", effect: { type: "hang" } }],
    ["after it copied", { operation: "CopyObject", effect: { type: "hang", applied: true } }],
    ["before it deletes", { operation: "DeleteObjects", effect: { type: "hang" } }],
    ["after it deleted", { operation: "DeleteObjects", effect: { type: "hang", applied: true } }],
  ] as const)("%s is asked again", async (_, rule) => {
    await open(SHORT);
    const id = await bench.submit({ batchSize: 20, inventory: { from: "bucket" } });
    const fault = bench.store.faults.add({ ...rule, times: 3 });
    expect(await bench.work(id)).toMatchObject(MOVED);
    expect(fault.fired).toBe(3);
    await expectMoved(bench, keys);
  });

  it("altogether for a while holds the job, which shows it", async () => {
    await open(SHORT);
    const id = await bench.submit({ batchSize: 20 });
    const fault = bench.store.faults.add({
      effect: { type: "hang" },
      when: () => bench.store.countObjects("bucket-b") >= 25,
    });
    const work = bench.work(id);
    await expect.poll(() => fault.fired, { timeout: 10_000 }).toBeGreaterThan(40);
    fault.remove();
    expect(await work).toMatchObject(MOVED);
    await expectMoved(bench, keys);
  });
});

describe("connections that are all reset at once", () => {
  it("again and again, at every stage, are opened anew: nothing is lost or doubled", async () => {
    await open();
    const id = await bench.submit({ batchSize: 10, limits: { concurrency: 16 } });
    // Slow enough that each cut meets requests under way: some not begun, some done and not answered.
    bench.store.faults.latencyMs = { minMs: 5, maxMs: 30 };
    let cut = 0;
    const cutting = setInterval(() => {
      cut += bench.store.resetConnections();
    }, 60);
    const job = await bench.work(id).finally(() => clearInterval(cutting));
    expect(cut).toBeGreaterThan(20);
    expect(job).toMatchObject(MOVED);
    await expectMoved(bench, keys);
  });

  it("in the middle of a stage with answers lost, are taken for neither failure nor conflict", async () => {
    await open();
    const id = await bench.submit({ batchSize: 60 });
    const copies = bench.store.faults.hold({ operation: "CopyObject" }, "after");
    const work = bench.work(id);
    await bench.store.faults.arrival(copies, 40);
    expect(bench.store.resetConnections()).toBeGreaterThanOrEqual(40);
    copies.release();
    expect(await work).toMatchObject(MOVED);
    expect(await bench.exceptions(id)).toEqual({});
    await expectMoved(bench, keys);
  });
});

describe("a bucket in another region than the configured one", () => {
  const FAR = "eu-central-1";
  const store = (a: string, b: string) => ({
    store: {
      buckets: [
        { name: "bucket-a", region: a },
        { name: "bucket-b", region: b },
      ],
    },
  });

  it("is followed to where it is, once, for every kind of request", async () => {
    await open(store(FAR, FAR));
    expect(await bench.move({ batchSize: 20 })).toMatchObject(MOVED);
    // One redirect for each bucket, whatever is asked of it first; later requests go right.
    expect(bench.store.requests.rejected).toBeLessThanOrEqual(4);
    await expectMoved(bench, keys, { region: FAR });
  });

  it("is followed when the store's own region is asked for the wrong one (400 instead of 301)", async () => {
    await open({ connect: { region: FAR } });
    expect(await bench.move({ batchSize: 20 })).toMatchObject(MOVED);
    await expectMoved(bench, keys);
  });

  it("is followed by copies too, when it moves in mid-job", async () => {
    await open();
    const id = await bench.submit({ batchSize: 20, limits: { concurrency: 4 } });
    bench.store.faults.add({
      operation: "CopyObject",
      effect: { type: "internal-error" },
      when: () => {
        if (bench.store.countObjects("bucket-b") === 25)
          bench.store.createBucket("bucket-b", { region: FAR });
        return false;
      },
    });
    expect(await bench.work(id)).toMatchObject(MOVED);
    bench.store.createBucket("bucket-a", { region: FAR });
    await expectMoved(bench, keys, { region: FAR });
  });

  it("that differs from the source's region is no obstacle", async () => {
    await open(store("us-east-1", FAR));
    expect(await bench.move({ batchSize: 20 })).toMatchObject(MOVED);
    bench.store.createBucket("bucket-a", { region: FAR });
    await expectMoved(bench, keys, { region: FAR });
  });
});

describe("clocks that differ by more than a signature allows", () => {
  const HOUR = 3_600_000;

  it.each([-5 * HOUR, 5 * HOUR])("by %i ms from the start are made up for", async (skewMs) => {
    await open({ store: { now: () => new Date(Date.now() + skewMs) } });
    expect(await bench.move({ batchSize: 20 })).toMatchObject(MOVED);
    expect(bench.store.requests.errors("RequestTimeTooSkewed")).toBeGreaterThan(0);
    await expectMoved(bench, keys, { skewMs });
  });

  it.each([
    ["planning", "ListObjectsV2", "bucket-a", 2],
    ["copying", "CopyObject", "bucket-b", 25],
    ["verifying", "ListObjectsV2", "bucket-b", 2],
    ["deleting", "DeleteObjects", "bucket-a", 1],
  ] as const)("from one moment to the next, while %s, are made up for", async (_, operation, bucket, nth) => {
    let skewMs = 0;
    await open({ store: { now: () => new Date(Date.now() + skewMs) } });
    const id = await bench.submit({ batchSize: 20, inventory: { from: "bucket" } });
    let seen = 0;
    bench.store.faults.add({
      operation,
      bucket,
      effect: { type: "internal-error" },
      when: () => {
        seen += 1;
        if (seen === nth) skewMs = 2 * HOUR;
        return false;
      },
    });
    expect(await bench.work(id)).toMatchObject(MOVED);
    expect(bench.store.requests.errors("RequestTimeTooSkewed")).toBeGreaterThan(0);
    await expectMoved(bench, keys, { skewMs });
  });

  it("are made up for in another region too, where copies are signed by the same clock", async () => {
    let skewMs = 0;
    const region = "eu-central-1";
    const buckets = ["bucket-a", "bucket-b"].map((name) => ({ name, region }));
    await open({ store: { buckets, now: () => new Date(Date.now() + skewMs) } });
    const id = await bench.submit({ batchSize: 20 });
    let copies = 0;
    bench.store.faults.add({
      operation: "CopyObject",
      effect: { type: "internal-error" },
      when: () => {
        copies += 1;
        if (copies === 30) skewMs = 2 * HOUR;
        return false;
      },
    });
    expect(await bench.work(id)).toMatchObject(MOVED);
    expect(bench.store.requests.errors("RequestTimeTooSkewed")).toBeGreaterThan(0);
    await expectMoved(bench, keys, { skewMs, region });
  }, 30_000);

  it("make no exception of objects that are looked at one by one, without a word of why", async () => {
    let skewMs = 0;
    await open({ store: { now: () => new Date(Date.now() + skewMs) } });
    const id = await bench.submit({ verify: "checksum" });
    bench.store.faults.add({
      operation: "HeadObject",
      effect: { type: "internal-error" },
      when: () => {
        // Only when all are copied: that each is verified by itself is what this is about.
        if (bench.store.countObjects("bucket-b") === keys.length) skewMs = 2 * HOUR;
        return false;
      },
    });
    expect(await bench.work(id)).toMatchObject(MOVED);
    expect(bench.store.requests.errors("RequestTimeTooSkewed")).toBeGreaterThan(0);
    await expectMoved(bench, keys, { skewMs });
  });
});
