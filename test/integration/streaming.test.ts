/** Planning streams: copying begins before the listing ends, and never falls far behind it. */

import { describe, expect, it } from "vitest";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

benchForEach();

const JOB = { inventory: { from: "bucket" }, references: [], batchSize: 100, delete: { when: "never" } };

describe("planning", () => {
  it("lets the first copy start while the listing goes on", async () => {
    fillStore(bench.store, "bucket-a", imageKeys(2500));
    const id = await bench.submit(JOB);
    let seen = 0;
    const third = { operation: "ListObjectsV2", bucket: "bucket-a", when: () => ++seen >= 3 } as const;
    const hold = bench.store.faults.hold(third);
    const run = bench.work(id);
    await bench.store.faults.arrival({ operation: "CopyObject" }, 500);
    expect((await bench.jobs.get(id)).planDone).toBe(false);
    hold.release();
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 2500 } });
  });

  it("stays a bounded number of batches ahead of the copies, whatever the number of objects", async () => {
    fillStore(bench.store, "bucket-a", imageKeys(5000));
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    const id = await bench.submit(JOB);
    const run = bench.work(id);
    await hold.arrival(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    // Eight batches in hand and one that waits for a place: what is planned ahead is what memory holds.
    expect((await bench.jobs.get(id)).objects.planned).toBeLessThanOrEqual(900);
    hold.release();
    expect(await run).toMatchObject({ state: "completed", objects: { planned: 5000, moved: 5000 } });
  });
});
