/** What a store or database refuses for a moment is tried again; what it goes on refusing pauses the job, with the reason. */

import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterEach, expect, inject, it } from "vitest";
import { Scheduler } from "../../../src/jobs/run/scheduler.ts";
import type { Connections } from "../../../src/ports/connections.ts";
import type { ListPage, ListRequest, ObjectStore } from "../../../src/ports/object-store.ts";
import { hurry, moved, until } from "../../support/bystander.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { createDatabase, type TestDatabase } from "../../support/servers/mariadb.ts";
import {
  fillStore,
  imageKeys,
  openFilledWorkbench,
  openWorkbench,
  type Workbench,
} from "../../support/worlds/workbench.ts";

const SILENT = { info() {}, warn() {}, error() {} };
const KEYS = imageKeys(2500);

let bench: Workbench;
const clock = new HandClock();
let database: TestDatabase | null = null;
afterEach(async () => {
  await bench.close();
  await database?.drop();
  database = null;
});

/** Connections whose listings of the source `lie` may change. */
function lying(lie: (page: ListPage, request: ListRequest) => ListPage): Connections {
  const { connections } = bench.parts;
  const withLie = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        if (member === "list") {
          return async (request: ListRequest, signal?: AbortSignal) => {
            const page = await target.list(request, signal);
            return request.bucket === "bucket-a" ? lie(page, request) : page;
          };
        }
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return { ...connections, store: (name, counts) => withLie(connections.store(name, counts)) };
}

function expectAllMoved(keys: readonly string[]): void {
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(keys.map(moved));
}

/** The first page once more, where the second was asked for. */
const stuck = ({ objects }: ListPage): ListPage => ({
  objects: objects.map((object, at) => ({ ...object, key: KEYS[at] ?? "" })),
  more: true,
});

it("one page out of order is asked for again, and the job goes on", async () => {
  bench = await openFilledWorkbench(KEYS, { clock });
  const id = await bench.submit({ inventory: { from: "bucket" } });
  let lies = 0;
  const connections = lying((page, { startAfter }) => {
    if (startAfter !== KEYS[999] || lies > 0) return page;
    lies += 1;
    return stuck(page);
  });
  const scheduler = new Scheduler({ ...bench.parts, connections }, "other", SILENT);
  await scheduler.runNow(id);
  expect(lies).toBe(1);
  expect(await bench.jobs.get(id)).toMatchObject({
    state: "completed",
    objects: { moved: 2500, exceptions: 0 },
  });
  expectAllMoved(KEYS);
  expect(bench.paths()).toEqual(KEYS.map(moved));
});

it("a listing that never advances pauses the job with the reason, and resuming it goes on", async () => {
  bench = await openFilledWorkbench(KEYS, { clock });
  const id = await bench.submit({ inventory: { from: "bucket" } });
  const connections = lying((page, { startAfter }) => (startAfter === KEYS[999] ? stuck(page) : page));
  const scheduler = new Scheduler({ ...bench.parts, connections }, "other", SILENT);
  const run = scheduler.runNow(id);
  await until(async () => (await bench.jobs.get(id)).waiting?.detail.includes("does not advance") ?? false);
  expect((await bench.jobs.get(id)).waiting).toMatchObject({ reason: "throttled" });
  await hurry(clock, run);
  const job = await bench.jobs.get(id);
  expect(job.state).toBe("paused");
  expect(job.reason).toMatch(/does not advance.*resume the job\.$/);
  await bench.jobs.act(id, "resume", "ann");
  expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 2500 } });
  expectAllMoved(KEYS);
});

/** A job of 300 rows in MariaDB, and an administrator beside it. */
async function withTable() {
  database = await createDatabase(inject("mariadbUrl"));
  const admin = await createConnection(database.url);
  await admin.query("CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(255), KEY (path))");
  const keys = imageKeys(300);
  await admin.query("INSERT INTO images (path) VALUES ?", [keys.map((key) => [key])]);
  bench = await openWorkbench({ clock, appUrl: database.url });
  fillStore(bench.store, "bucket-a", keys);
  const id = await bench.submit({ batchSize: 50, limits: { requestsPerSecond: 150 } });
  const run = bench.work(id);
  await until(async () => (await bench.jobs.get(id)).objects.updated >= 50);
  await admin.query("RENAME TABLE images TO away");
  const back = async () => {
    await admin.query("RENAME TABLE away TO images");
  };
  const paths = async () => {
    const [rows] = await admin.query<RowDataPacket[]>("SELECT path FROM images ORDER BY id");
    return rows.map(({ path }) => String(path));
  };
  return { keys, id, run, back, paths, end: () => admin.end() };
}

it("a table that is away for a second and a half is waited for, and the wait is shown", async () => {
  const { keys, id, run, back, paths, end } = await withTable();
  await until(
    async () => (await bench.jobs.get(id)).waiting?.detail.includes("the database refuses") ?? false,
  );
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await back();
  expect(await run).toMatchObject({ state: "completed", objects: { moved: 300 }, rows: { updated: 300 } });
  expectAllMoved(keys);
  expect(await paths()).toEqual(keys.map(moved));
  await end();
});

it("a table that stays away pauses the job with the reason; when it is back, resuming goes on", async () => {
  const { keys, id, run, back, paths, end } = await withTable();
  const job = await hurry(clock, run);
  expect(job.state).toBe("paused");
  expect(job.reason).toMatch(/images.*resume the job\.$/);
  // Nothing is deleted of what rows may still name: the table cannot be asked.
  const left = bench.store.listKeys("bucket-a").length;
  await back();
  const isOld = (await paths()).filter((path) => path.startsWith("image/"));
  for (const key of isOld) expect(bench.store.getObject("bucket-a", key)).toBeDefined();
  expect(left).toBeGreaterThanOrEqual(isOld.length);
  await bench.jobs.act(id, "resume", "ann");
  expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 300 } });
  expectAllMoved(keys);
  expect(await paths()).toEqual(keys.map(moved));
  await end();
});

it("a target bucket that is gone pauses the job and names what to do; nothing is deleted", async () => {
  const keys = imageKeys(20);
  bench = await openFilledWorkbench(keys, { clock });
  const id = await bench.submit();
  const gone = bench.store.faults.add({
    bucket: "bucket-b",
    effect: { type: "error", status: 404, code: "NoSuchBucket" },
  });
  const job = await hurry(clock, bench.work(id));
  expect(job.state).toBe("paused");
  expect(job.reason).toMatch(/bucket-b.*resume the job\.$/);
  expect(bench.store.listKeys("bucket-a")).toEqual(keys);
  expect(bench.paths()).toEqual(keys);
  gone.remove();
  await bench.jobs.act(id, "resume", "ann");
  expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 20 } });
  expectAllMoved(keys);
});
