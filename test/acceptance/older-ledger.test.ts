/** A ledger of an older version, its process killed with jobs in every stage, is opened, and every job goes on to its end. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createConnection } from "mysql2/promise";
import { afterEach, expect, inject, it } from "vitest";
import {
  bucketContents,
  type Estate,
  type EstateJob,
  type EstateTables,
  mariadbTables,
  putUpBuckets,
  sqliteTables,
} from "../support/older-estate.ts";
import { createDatabase, type TestDatabase } from "../support/servers/mariadb.ts";
import type { Service } from "../support/service.ts";
import { movedKey, openSandboxWorld, type SandboxWorld } from "../support/worlds/sandbox-world.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/older-ledgers");
const unpacked = (name: string) => gunzipSync(readFileSync(join(FIXTURES, `${name}.gz`)));
const estateOf = (kind: string): Estate => JSON.parse(unpacked(`${kind}-estate.json`).toString());

let world: SandboxWorld;
let tables: EstateTables;
let databases: TestDatabase[] = [];

afterEach(async () => {
  await tables.close();
  await world.close();
  for (const database of databases) await database.drop();
  databases = [];
});

/** Puts the estate up and starts the service on the ledger at `progress`. */
async function open(estate: Estate, progress: string): Promise<Service> {
  putUpBuckets(world.store, estate);
  for (const [name, paths] of Object.entries(estate.tables)) await tables.create(name, paths);
  return world.serve({ progress, databases: { app: tables.url, second: tables.url } });
}

/** What an operator has to do before the jobs can end: each by its name. */
async function doWhatWaits(service: Service, { jobs }: Estate): Promise<void> {
  const act = async (name: string, action: string) => {
    const { status } = await service.call(
      "POST",
      `/jobs/${jobs.find((job) => job.name === name)?.id}/${action}`,
    );
    expect([name, status]).toEqual([name, 202]);
  };
  await act("paused", "resume");
  await act("approval", "approve");
  for (const [key, body] of bucketContents(world.store, "exceptions-b")) {
    if (body === "somebody else's") world.store.deleteObject("exceptions-b", key);
  }
  await act("exceptions", "retry");
}

/** Where the objects of `job` are to be at the end, whose buckets another job may share. */
function expectedIn(jobs: readonly EstateJob[], name: string): string[] {
  const sharing = jobs.filter((job) => job.name === name || (name === "copying" && job.name === "queued"));
  return sharing.flatMap(({ keys }) => keys.map((key) => movedKey(key).replace("other/", "avatar/"))).sort();
}

async function expectFinished(service: Service, { jobs, tables: rows }: Estate): Promise<void> {
  for (const { id, name, keys } of jobs) {
    const end = await service
      .poll(id, (job) => job.state === "completed", 60_000)
      .catch((error) => {
        throw new Error(`${name} has not ended`, { cause: error });
      });
    const { planned, moved, skipped, exceptions } = end.objects;
    expect({ name, moved, exceptions }).toEqual({ name, moved: keys.length, exceptions: 0 });
    expect(planned).toBe(moved + skipped);
  }
  for (const name of Object.keys(rows)) {
    expect(await tables.paths(name)).toEqual(jobs.find((job) => job.name === name)?.keys.map(movedKey));
    expect(world.store.listKeys(`${name}-a`)).toEqual([]);
    const target = bucketContents(world.store, `${name}-b`);
    expect(target.map(([key]) => key)).toEqual(expectedIn(jobs, name));
    for (const [key, body] of target) {
      expect([
        `body of ${key.replace("avatar/", "image/")}`,
        `body of ${key.replace("avatar/", "other/")}`,
      ]).toContain(body);
    }
  }
}

it("an SQLite file", async () => {
  world = await openSandboxWorld();
  tables = sqliteTables(join(world.directory, "app.db"));
  const file = join(world.directory, "older.db");
  writeFileSync(file, unpacked("sqlite-ledger.db"));
  const estate = estateOf("sqlite");
  const service = await open(estate, `sqlite:${file}`);
  await doWhatWaits(service, estate);
  await expectFinished(service, estate);
}, 120_000);

it("a MariaDB schema", async () => {
  world = await openSandboxWorld();
  const [place, appPlace] = [
    await createDatabase(inject("mariadbUrl")),
    await createDatabase(inject("mariadbUrl")),
  ];
  databases = [place, appPlace];
  tables = await mariadbTables(appPlace.url);
  const ledger = await createConnection({ uri: place.url, multipleStatements: true });
  await ledger.query(unpacked("mariadb-ledger.sql").toString());
  await ledger.end();
  const estate = estateOf("mariadb");
  const service = await open(estate, place.url);
  await doWhatWaits(service, estate);
  await expectFinished(service, estate);
}, 120_000);
