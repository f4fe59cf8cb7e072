/** The ledger on MariaDB beside the application's tables: a whole job, killed once and taken up by another process. */

import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createDatabase, type TestDatabase } from "../support/servers/mariadb.ts";
import { hasEnded } from "../support/service.ts";
import {
  holdsBodyOf,
  movedKey,
  openSandboxWorld,
  type SandboxWorld,
} from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(300);
const CONCURRENCY = 16;

let world: SandboxWorld;
let ledger: TestDatabase;
let database: TestDatabase;
let app: Connection;

beforeAll(async () => {
  world = await openSandboxWorld();
  ledger = await createDatabase(inject("mariadbUrl"));
  database = await createDatabase(inject("mariadbUrl"), { collation: "utf8mb4_unicode_ci" });
  app = await createConnection(database.url);
  await app.query(
    "CREATE TABLE images (id BIGINT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL, UNIQUE (path))",
  );
  await app.query("INSERT INTO images (path) VALUES ?", [KEYS.map((key) => [key])]);
}, 120_000);

afterAll(async () => {
  await app?.end();
  await world?.close();
  await database?.drop();
  await ledger?.drop();
});

it("a job with its ledger on MariaDB outlives kill -9, and another process ends it the same", async () => {
  const pair = world.buckets("maria", KEYS);
  world.store.faults.latencyMs = 5;
  const config = { progress: ledger.url, databases: { app: database.url } };
  const first = await world.serve(config);
  const come = world.store.faults.arrival({ operation: "CopyObject" }, 170);
  const job = {
    ...pair,
    references: [{ database: "app", table: "images", key: "id", column: "path" }],
    batchSize: 60,
    limits: { concurrency: CONCURRENCY },
    delete: { when: "verified", after: "0s" },
  };
  const { body: submitted } = await first.call("POST", "/jobs", job, { "idempotency-key": "maria" });
  await come;
  await first.kill("SIGKILL");

  const second = await world.serve(config);
  const again = await second.call("POST", "/jobs", job, { "idempotency-key": "maria" });
  expect(again).toMatchObject({ status: 202, body: { id: submitted.id } });
  expect(again.headers.get("idempotent-replay")).toBe("true");
  const done = await second.poll(submitted.id, hasEnded, 60_000);

  expect(done).toMatchObject({ state: "completed", objects: { planned: 300, moved: 300, exceptions: 0 } });
  expect(world.store.listKeys("maria-a")).toEqual([]);
  expect(world.store.listKeys("maria-b")).toEqual(KEYS.map(movedKey));
  for (const key of KEYS) expect(holdsBodyOf(world.store, "maria-b", movedKey(key), key), key).toBe(true);
  const [rows] = await app.query<RowDataPacket[]>("SELECT path FROM images ORDER BY id");
  expect(rows.map((row) => row.path)).toEqual(KEYS.map(movedKey));
  expect(world.store.requests.count("CopyObject")).toBeLessThanOrEqual(KEYS.length + CONCURRENCY);
  const [tables] = await app.query<RowDataPacket[]>("SHOW TABLES");
  expect(tables, "the ledger keeps out of the application's database").toHaveLength(1);

  const { body: batches } = await second.call("GET", `/jobs/${done.id}/batches?limit=2`);
  expect(batches.items).toHaveLength(2);
  const { body: rest } = await second.call("GET", `/jobs/${done.id}/batches?cursor=${batches.next}`);
  const all = [...batches.items, ...rest.items];
  expect(all.reduce((sum: number, batch: { moved: number }) => sum + batch.moved, 0)).toBe(300);
  const outcome = await second.call(
    "GET",
    `/jobs/${done.id}/objects?key=${encodeURIComponent(KEYS[299] ?? "")}`,
  );
  expect(outcome.body).toMatchObject({ key: KEYS[299], fate: { kind: "moved" } });
  expect(await second.kill("SIGTERM")).toMatchObject({ end: 0 });
}, 120_000);
