/** No deletion before its time: grace, approval and a policy of never, checked by counting what stands in the source. */

import { describe, expect, it } from "vitest";
import { moved, until, untilState, workWith } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const HOUR = 3_600_000;
const KEYS = imageKeys(10);

benchForEach({ objects: KEYS, rows: KEYS });

const updated = async (id: string) => (await bench.jobs.get(id)).objects.updated === KEYS.length;
const deletions = () =>
  bench.store.requests.count("DeleteObjects") + bench.store.requests.count("DeleteObject");
/** Longer than it takes the conveyor to ask again. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 700));

describe("grace", () => {
  it("keeps every source until its last second is over", async () => {
    const id = await bench.submit({ batchSize: 4, delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(() => updated(id));
    clock.advance(HOUR - 30_000);
    await aWhile();
    expect(deletions()).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(bench.paths()).toEqual(KEYS.map(moved));
    // Told with the heartbeat, within a second.
    await untilState(bench, id, "waiting");
    const job = await bench.jobs.get(id);
    expect(job).toMatchObject({ state: "waiting", waiting: { reason: "grace" } });
    expect(job.objects.moved).toBe(0);
    clock.advance(30_000);
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 10 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("counts on through a restart and is not cut short by it", async () => {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(() => updated(id));
    await bench.scheduler.close();
    await run;
    const later = bench.otherScheduler("later");
    const second = later.runNow(id);
    await aWhile();
    expect(deletions()).toBe(0);
    clock.advance(HOUR);
    await second;
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed" });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });
});

describe("approval", () => {
  const job = { batchSize: 4, delete: { when: "approved", after: "0s" } };

  it("is waited for, and until then nothing is deleted however long it takes", async () => {
    const id = await bench.submit(job);
    const run = bench.work(id);
    await until(() => updated(id));
    clock.advance(100 * HOUR);
    await untilState(bench, id, "waiting");
    expect(await bench.jobs.get(id)).toMatchObject({ waiting: { reason: "approval", until: null } });
    expect(deletions()).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    await bench.jobs.act(id, "approve", "ann");
    expect(await run).toMatchObject({ state: "completed", approvedBy: "ann" });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("does not shorten the grace period when it is given early", async () => {
    const id = await bench.submit({ delete: { when: "approved", after: "1h" } });
    await bench.jobs.act(id, "approve", "ann");
    const run = bench.work(id);
    await until(() => updated(id));
    await aWhile();
    expect(deletions()).toBe(0);
    clock.advance(HOUR);
    expect(await run).toMatchObject({ state: "completed" });
  });

  it("is not granted by pausing, resuming or restarting", async () => {
    const id = await bench.submit(job);
    const run = bench.work(id);
    await until(() => updated(id));
    await bench.jobs.act(id, "pause", "ann");
    await run;
    await bench.jobs.act(id, "resume", "ann");
    const second = bench.otherScheduler("second");
    const again = second.runNow(id);
    await aWhile();
    expect(deletions()).toBe(0);
    await second.close();
    await again;
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
  });
});

describe("the gate", () => {
  it("is asked again inside the deletion, after everything was looked at", async () => {
    let isApproved = true;
    const ledger = new Proxy(bench.ledger, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        const method = member.bind(target) as (...args: readonly unknown[]) => Promise<unknown>;
        if (name !== "job") return method;
        return async (...args: readonly unknown[]) => {
          const job = (await method(...args)) as object | null;
          return job === null || isApproved ? job : { ...job, approvedAt: null };
        };
      },
    });
    const id = await bench.submit({ delete: { when: "approved", after: "0s" } });
    await bench.jobs.act(id, "approve", "ann");
    const copied = bench.store.faults.hold({ operation: "CopyObject" });
    const run = workWith(bench, { ledger }, id);
    await copied.arrival();
    const lastLook = bench.store.faults.hold({ operation: "ListObjectsV2", bucket: "bucket-a" });
    copied.release();
    await lastLook.arrival();
    isApproved = false;
    lastLook.release();
    await aWhile();
    expect(deletions()).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    isApproved = true;
    await run;
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed" });
  });
});

describe("a job that never deletes", () => {
  it("moves copies and rows and leaves every source where it was", async () => {
    const job = await bench.move({ delete: { when: "never" } });
    expect(job).toMatchObject({ state: "completed", objects: { moved: 10 } });
    expect(deletions()).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
  });
});

describe("an operator who stops a job", () => {
  it("stops it before the deletion that was about to begin", async () => {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(() => updated(id));
    const look = bench.store.faults.hold({ operation: "ListObjectsV2", bucket: "bucket-a" });
    clock.advance(HOUR);
    await look.arrival();
    await bench.jobs.act(id, "cancel", "ann");
    await new Promise((resolve) => setTimeout(resolve, 50));
    look.release();
    expect(await run).toMatchObject({ state: "cancelled" });
    expect(deletions()).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
  });
});
