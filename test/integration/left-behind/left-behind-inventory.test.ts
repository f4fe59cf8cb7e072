/** Inventories that hide objects, or name those that are not the job's: nothing is left behind without a word. */

import { describe, expect, it } from "vitest";
import type { Connections } from "../../../src/ports/connections.ts";
import type { ListPage, ListRequest, ObjectStore } from "../../../src/ports/object-store.ts";
import { bound } from "../../support/bound.ts";
import { workWith } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(60);

benchForEach({ objects: KEYS, rows: KEYS });

/** The parts' connections with a store whose listings of the source are passed through `change`. */
function lying(change: (request: ListRequest, page: ListPage) => ListPage): { connections: Connections } {
  const { connections } = bench.parts;
  const store: Connections["store"] = (name, counts, mayWrite) => {
    const real = connections.store(name, counts, mayWrite);
    const list: ObjectStore["list"] = async (request, signal) =>
      change(request, await real.list(request, signal));
    return new Proxy(real, { get: (target, key) => (key === "list" ? list : bound(target, key)) });
  };
  return {
    connections: new Proxy(connections, {
      get: (target, key) => (key === "store" ? store : bound(target, key)),
    }),
  };
}

describe("a page of a listing that says falsely that it is the last", () => {
  it.each([
    ["once", 1],
    ["every time", Number.POSITIVE_INFINITY],
  ])("hides nothing: %s", async (_, times) => {
    const keys = imageKeys(4_500);
    fillStore(bench.store, "bucket-a", keys.slice(60));
    let lies = 0;
    const parts = lying(({ bucket, limit }, page) => {
      const isInventory = bucket === "bucket-a" && limit === 1000 && page.objects.length === 1000;
      if (!isInventory || lies >= times) return page;
      lies += 1;
      return { ...page, more: false };
    });
    const id = await bench.submit({ inventory: { from: "bucket" }, references: [] });
    await workWith(bench, parts, id);
    expect(lies).toBeGreaterThan(0);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: 4_500 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    expect(bench.store.listKeys("bucket-b").length).toBe(4_500);
  });
});

describe("keys of a manifest that are outside the source prefix", () => {
  it("are named, one by one, and stay exceptions when they are retried", async () => {
    const outside = ["images/x", "other/y", "Image/z"];
    fillStore(bench.store, "bucket-a", outside);
    bench.store.putObject("bucket-b", "list", [...KEYS, ...outside].join("\n"));
    const inventory = { from: "manifest", bucket: "bucket-b", key: "list" };
    const id = (await bench.move({ inventory })).id;
    const named = Object.fromEntries(outside.map((key) => [key, "outside_prefix"]));
    const end = { state: "completed_with_exceptions", objects: { planned: 63, moved: 60, exceptions: 3 } };
    expect(await bench.jobs.get(id)).toMatchObject(end);
    expect(await bench.exceptions(id)).toEqual(named);
    expect(bench.store.listKeys("bucket-a")).toEqual([...outside].sort());
    await bench.retry(id);
    expect(await bench.jobs.get(id)).toMatchObject(end);
    expect(await bench.exceptions(id)).toEqual(named);
    const report = await bench.jobs.preflight(
      { ...(await bench.jobs.get(id)).spec, inventory },
      { canary: false },
    );
    expect(report.problems).toContainEqual(
      expect.objectContaining({ severity: "warning", code: "outside_prefix", examples: outside }),
    );
  });
});
