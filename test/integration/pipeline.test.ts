/** The conveyor as a pipeline: stages of different batches overlap, and all places stay taken across every boundary. */

import { describe, expect, it } from "vitest";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

benchForEach();

const settle = () => new Promise((resolve) => setTimeout(resolve, 300));
const targetOf = (key: string) => key.replace("image/", "avatar/");

/** A job whose copies of keys from `first` on are held: gives how many of them come, and how the job ends. */
async function heldFrom(job: Record<string, unknown>, keys: readonly string[], first: number) {
  fillStore(bench.store, "bucket-a", keys);
  bench.addRows(keys);
  const from = targetOf(keys[first] ?? "");
  const hold = bench.store.faults.hold({ operation: "CopyObject", key: (key) => key >= from });
  const run = bench.work(await bench.submit(job));
  return { hold, run };
}

describe("concurrency", () => {
  it.each([
    ["batch", { batchSize: 50 }, 200, 45],
    ["page of the listing", { batchSize: 1000 }, 1200, 995],
    ["page of rows", { batchSize: 100, inventory: { from: "database" } }, 300, 95],
  ])("stays full across the boundary of a %s, and is never exceeded", async (_, job, count, first) => {
    const limits = { concurrency: 16 };
    const bucket = { inventory: { from: "bucket" } };
    const { hold, run } = await heldFrom({ ...bucket, ...job, limits }, imageKeys(count), first);
    // Fewer objects are left before the boundary than there are places: the others must come from behind it.
    await hold.arrival(16);
    await settle();
    expect(hold.arrivals).toBe(16);
    hold.release();
    expect(await run).toMatchObject({ state: "completed", objects: { moved: count } });
  });
});

describe("stages of different batches", () => {
  const job = { batchSize: 50, inventory: { from: "bucket" }, limits: { concurrency: 4 } };

  it("overlap: rows change and sources go while later batches are copied", async () => {
    const keys = imageKeys(400);
    const { hold, run } = await heldFrom(job, keys, 300);
    await hold.arrival(4);
    // Copying stands still from the 300th object on; whatever was copied before is through to its end meanwhile.
    await expect.poll(() => bench.store.listKeys("bucket-a").length, { timeout: 10_000 }).toBe(100);
    expect(bench.paths().filter((path) => path.startsWith("avatar/"))).toHaveLength(300);
    hold.release();
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 400 } });
  });

  it("overlap: copying goes on while the first batch's deletion hangs", async () => {
    const keys = imageKeys(300);
    fillStore(bench.store, "bucket-a", keys);
    bench.addRows(keys);
    const deletions = bench.store.faults.hold({ operation: "DeleteObjects" });
    const run = bench.work(await bench.submit(job));
    await deletions.arrival(1);
    await expect.poll(() => bench.store.listKeys("bucket-b").length, { timeout: 10_000 }).toBe(300);
    expect(bench.store.listKeys("bucket-a")).toHaveLength(300);
    deletions.release();
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 300 } });
  });
});

describe("requests", () => {
  it.each([
    ["bucket", 1.02],
    ["database", 1.05],
  ])("are at most one and a little an object, counted at the store: inventory %s", async (from, most) => {
    const keys = imageKeys(5000);
    fillStore(bench.store, "bucket-a", keys);
    bench.addRows(keys);
    bench.store.requests.reset();
    expect(await bench.move({ inventory: { from } })).toMatchObject({ state: "completed" });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    expect(bench.store.requests.total / keys.length).toBeLessThanOrEqual(most);
  });
});
