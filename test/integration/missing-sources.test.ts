/** An object that is missing from the source can be settled: by its row, by bringing it back, or by a second look. */

import { beforeEach, describe, expect, it } from "vitest";
import { moved, sumsAgree, until, workWith } from "../support/bystander.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(12);
const MISSING = KEYS[5] as string;
const REST = KEYS.filter((key) => key !== MISSING);

benchForEach({ objects: REST });
beforeEach(() => void bench.store.createBucket("lists"));

/** Retries job `id` and works on it. */
async function retried(id: string) {
  const job = await bench.retry(id);
  expect(sumsAgree(job)).toBe(true);
  return job;
}

const SETTLED = { state: "completed", objects: { planned: 12, moved: 11, skipped: 1, exceptions: 0 } };

describe("a row that names an object which is not there", () => {
  let id: string;
  beforeEach(async () => {
    bench.addRows(KEYS);
    const job = await bench.move({ inventory: { from: "database" } });
    expect(await bench.exceptions(job.id)).toEqual({ [MISSING]: "source_missing" });
    id = job.id;
  });

  it("stays an exception while the row is as it was", async () => {
    expect(await retried(id)).toMatchObject({
      state: "completed_with_exceptions",
      objects: { exceptions: 1 },
    });
    expect(await bench.exceptions(id)).toEqual({ [MISSING]: "source_missing" });
  });

  it.each([
    ["deleted", "DELETE FROM images WHERE path = ?"],
    ["pointed at an object that is there", "UPDATE images SET path = 'avatar/000000.png' WHERE path = ?"],
    ["emptied", "UPDATE images SET path = NULL WHERE path = ?"],
  ])("is settled by a retry when the row was %s", async (_, statement) => {
    bench.app.prepare(statement).run(MISSING);
    expect(await retried(id)).toMatchObject(SETTLED);
    expect(await bench.exceptions(id)).toEqual({});
    expect(await bench.jobs.object(id, MISSING)).toMatchObject({
      outcome: { kind: "skipped", reason: "source_gone" },
    });
    expect(bench.store.listKeys("bucket-b")).toEqual(REST.map(moved));
  });

  it("is moved by a retry when the object is back", async () => {
    fillStore(bench.store, "bucket-a", [MISSING]);
    expect(await retried(id)).toMatchObject({ state: "completed", objects: { moved: 12, exceptions: 0 } });
    expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
    expect(bench.paths()).toEqual(KEYS.map(moved));
  });

  it("stays an exception when the row is gone and another one names it", async () => {
    bench.app.prepare("DELETE FROM images WHERE path = ?").run(MISSING);
    bench.addRows([MISSING]);
    expect(await retried(id)).toMatchObject({ state: "completed_with_exceptions" });
    expect(await bench.exceptions(id)).toEqual({ [MISSING]: "source_missing" });
  });
});

it("an object that a listing did not show, and that is there, is never taken for gone", async () => {
  bench.addRows(KEYS);
  const { id } = await bench.move({ inventory: { from: "database" } });
  bench.app.prepare("DELETE FROM images WHERE path = ?").run(MISSING);
  fillStore(bench.store, "bucket-a", [MISSING]);
  const { connections } = bench.parts;
  const store: typeof connections.store = (name, counts) =>
    new Proxy(connections.store(name, counts), {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        if (member === "list") return async () => ({ objects: [], more: false });
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  await bench.jobs.act(id, "retry", "ann");
  await workWith(bench, { connections: { ...connections, store } }, id);
  await until(async () => (await bench.jobs.get(id)).finishedAt !== null);
  expect(await bench.exceptions(id)).toEqual({ [MISSING]: "source_missing" });
  expect(bench.store.getObject("bucket-a", MISSING)).toBeDefined();
});

it("a key that only a manifest names is an exception first, and skipped when an operator goes on", async () => {
  bench.store.putObject(
    "lists",
    "list.csv",
    KEYS.map((key) => `bucket-a,${encodeURIComponent(key)}\n`).join(""),
  );
  const inventory = { from: "manifest", bucket: "lists", key: "list.csv" };
  const { id } = await bench.move({ inventory, references: [] });
  expect(await bench.exceptions(id)).toEqual({ [MISSING]: "source_missing" });
  expect(await retried(id)).toMatchObject(SETTLED);
});
