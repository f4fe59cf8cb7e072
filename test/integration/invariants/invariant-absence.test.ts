/** Absence is never a reason to delete: listings that are empty, cut short, failed or lying delete nothing. */

import { describe, expect, it } from "vitest";
import type { Connections } from "../../../src/ports/connections.ts";
import type { ListPage, ListRequest, ObjectStore } from "../../../src/ports/object-store.ts";
import { hurry, moved, until, workWith } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(15);

benchForEach({ objects: KEYS, rows: KEYS });

/** Connections whose listings `lie` may change; everything else is the real store. */
function lying(lie: (page: ListPage, request: ListRequest) => ListPage): Connections {
  const { connections } = bench.parts;
  return {
    ...connections,
    store(name, counts) {
      const store = connections.store(name, counts);
      const list: ObjectStore["list"] = async (request, signal) =>
        lie(await store.list(request, signal), request);
      return new Proxy(store, {
        get: (target, member) => {
          if (member === "list") return list;
          const value: unknown = Reflect.get(target, member, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
}

const EMPTY: ListPage = { objects: [], more: false };

describe("a listing that wrongly shows nothing", () => {
  it("of the target keeps every source", async () => {
    const id = await bench.submit();
    const blind = lying((page, { bucket }) => (bucket === "bucket-b" ? EMPTY : page));
    await workWith(bench, { connections: blind }, id);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(await bench.jobs.get(id)).toMatchObject({ objects: { moved: 0, exceptions: 15 } });
  });

  it("of the source does not pass for finished deletions", async () => {
    const id = await bench.submit({ inventory: { from: "bucket" } });
    let listings = 0;
    const blind = lying((page, { bucket }) => {
      if (bucket !== "bucket-a") return page;
      listings += 1;
      return listings === 1 ? page : EMPTY;
    });
    await workWith(bench, { connections: blind }, id);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(await bench.jobs.get(id)).toMatchObject({
      state: "completed_with_exceptions",
      objects: { moved: 0 },
    });
  });

  it("of the whole inventory ends the job with nothing done, and says so", async () => {
    const id = await bench.submit({ inventory: { from: "bucket" } });
    await workWith(bench, { connections: lying(() => EMPTY) }, id);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    const job = await bench.jobs.get(id);
    expect(job.objects.planned).toBe(0);
    expect(job.reason).toMatch(/nothing to do/);
  });

  it("of half the target keeps the sources of the other half", async () => {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.updated === 15);
    await bench.scheduler.close();
    await run;
    clock.advance(3_600_000);
    const shown = new Set(KEYS.slice(0, 7).map(moved));
    const half = lying((page, { bucket }) =>
      bucket === "bucket-b"
        ? { objects: page.objects.filter(({ key }) => shown.has(key)), more: false }
        : page,
    );
    await workWith(bench, { connections: half }, id);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS.slice(7));
    expect(await bench.exceptions(id)).toEqual(
      Object.fromEntries(KEYS.slice(7).map((key) => [key, "target_lost"])),
    );
  });
});

describe("a listing that fails", () => {
  it.each([
    ["with an empty 200", { type: "empty-200" } as const],
    ["with a 500", { type: "internal-error" } as const],
    ["with a broken connection", { type: "reset-before" } as const],
    ["with an error document in a 200", { type: "error-in-200", code: "InternalError" } as const],
  ])("%s is asked for again and deletes nothing meanwhile", async (_, effect) => {
    const id = await bench.submit();
    const fault = bench.store.faults.add({ operation: "ListObjectsV2", effect });
    const run = bench.work(id);
    await until(() => fault.fired >= 3);
    expect(bench.store.requests.count("DeleteObjects")).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    fault.remove();
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 15 } });
    expect(bench.paths()).toEqual(KEYS.map(moved));
  });

  it("with a 403 pauses the job with the reason, and it goes on where it was once the right is there", async () => {
    const id = await bench.submit();
    const fault = bench.store.faults.add({ operation: "ListObjectsV2", effect: { type: "access-denied" } });
    const job = await hurry(clock, bench.work(id));
    expect(job.state).toBe("paused");
    expect(job.reason).toMatch(/AccessDenied.*resume the job/);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    fault.remove();
    await bench.jobs.act(id, "resume", "ann");
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 15 } });
  });

  it("at the deletion, for longer than it is worth asking, holds the batch and keeps the sources", async () => {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.updated === 15);
    const fault = bench.store.faults.add({ operation: "ListObjectsV2", effect: { type: "internal-error" } });
    clock.advance(3_600_000);
    await until(() => fault.fired >= 1);
    clock.advance(31_000);
    await until(async () => {
      clock.advance(1000);
      return (await bench.jobs.get(id)).waiting?.reason === "throttled";
    });
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    fault.remove();
    clock.advance(60_000);
    expect(await run).toMatchObject({ state: "completed" });
  });
});
