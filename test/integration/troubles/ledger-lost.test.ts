/** The ledger is deleted, cut short, emptied or loses a table in the middle of jobs: they stop at once and say why. */

import { copyFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Scheduler } from "../../../src/jobs/run/scheduler.ts";
import { openLedger } from "../../../src/stores/ledger/open-ledger.ts";
import { moved, until } from "../../support/bystander.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { createDatabase, type TestDatabase } from "../../support/servers/mariadb.ts";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(600);
const SLOW = { batchSize: 20, limits: { requestsPerSecond: 60 } };

let bench: Workbench;
let scheduler: Scheduler;
const errors: string[] = [];
const log = { info() {}, warn() {}, error: (_: object, message: string) => void errors.push(message) };

async function open(ledgerUrl: string, clock?: HandClock): Promise<void> {
  errors.length = 0;
  bench = await openWorkbench(clock === undefined ? { ledgerUrl } : { ledgerUrl, clock });
  scheduler = new Scheduler(bench.parts, "logged", log);
}

/** Two jobs that copy, update and delete in this process, each 600 objects with a row each. */
async function twoJobs(): Promise<{ readonly ended: Promise<unknown> }> {
  const prefixes = ["image/one/", "image/two/"];
  const ids: string[] = [];
  for (const prefix of prefixes) {
    const keys = KEYS.map((key) => key.replace("image/", prefix));
    fillStore(bench.store, "bucket-a", keys);
    bench.addRows(keys);
    const places = {
      source: { bucket: "bucket-a", prefix },
      target: { bucket: "bucket-b", prefix: prefix.replace("image", "avatar") },
    };
    ids.push(await bench.submit({ ...places, ...SLOW }));
  }
  const ended = Promise.all(ids.map((id) => scheduler.runNow(id)));
  await until(() => bench.store.requests.count("DeleteObjects") >= 4);
  return { ended };
}

/** What any job does; listings change nothing. */
const written = () => bench.store.requests.count("CopyObject") + bench.store.requests.count("DeleteObjects");

/** Does `harm`, and expects both jobs to end within seconds, with `words`, and nothing to be done afterwards. */
async function expectStop(harm: () => unknown, words: RegExp): Promise<void> {
  const { ended } = await twoJobs();
  await harm();
  const begun = performance.now();
  await ended;
  expect(performance.now() - begun).toBeLessThan(6_000);
  const after = written();
  const sources = bench.store.listKeys("bucket-a");
  expect(sources.length).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(written()).toBe(after);
  expect(bench.store.listKeys("bucket-a")).toEqual(sources);
  // Every object is somewhere.
  const targets = new Set(bench.store.listKeys("bucket-b"));
  for (const part of ["one", "two"]) {
    for (const key of KEYS.map((each) => each.replace("image/", `image/${part}/`))) {
      expect(sources.includes(key) || targets.has(moved(key)), key).toBe(true);
    }
  }
  const told = errors.filter((message) => words.test(message));
  expect(told.length, errors.join("\n")).toBeGreaterThanOrEqual(2);
  expect(told[0]).toContain("Nothing more is copied, updated or deleted.");
}

describe("an SQLite ledger", () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "tranship-lost-"));
    file = join(directory, "ledger.db");
    await open(`sqlite:${file}`);
  });
  afterEach(async () => {
    await scheduler.close();
    await bench.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("that is deleted stops all jobs within seconds, and they say so", async () => {
    await expectStop(() => rmSync(file), /ledger\.db was deleted or moved away/);
  });

  it("whose log is deleted stops them likewise", async () => {
    await expectStop(() => rmSync(`${file}-wal`), /ledger\.db-wal was deleted or moved away/);
  });

  it("that is cut short stops them likewise", async () => {
    await expectStop(() => truncateSync(file, 0), /ledger\.db was cut short, from \d+ bytes to 0/);
  });

  it("that is replaced by a backup stops them likewise, and the backup stays as it is", async () => {
    const backup = join(directory, "backup.db");
    await bench.close();
    copyFileSync(file, backup);
    await open(`sqlite:${file}`);
    await expectStop(() => renameSync(backup, file), /ledger\.db was replaced by another one/);
    await scheduler.close();
    await bench.ledger.close();
    rmSync(`${file}-wal`, { force: true });
    rmSync(`${file}-shm`, { force: true });
    const restored = await openLedger(`sqlite:${file}`);
    expect((await restored.jobs({ states: null, limit: 10, cursor: null })).items).toEqual([]);
    await restored.close();
  });

  it("that is overwritten with something else is no ledger any more", async () => {
    await expectStop(() => writeFileSync(file, "not a database\n"), /ledger\.db was cut short/);
  });
});

describe("a MariaDB ledger", () => {
  let database: TestDatabase;
  let admin: Connection;
  let clock: HandClock;
  beforeEach(async () => {
    database = await createDatabase(inject("mariadbUrl"));
    admin = await createConnection(database.url);
    clock = new HandClock();
    await open(database.url, clock);
  });
  afterEach(async () => {
    await scheduler.close();
    await bench.close();
    await admin.end();
    await database.drop();
  });

  it.each(["jobs", "batches", "exceptions", "audit_events"])(
    "whose table of %s is dropped stops all jobs",
    async (name) => {
      const words = new RegExp(`The ledger is damaged: .*tranship_${name}`);
      await expectStop(() => admin.query(`DROP TABLE tranship_${name}`), words);
    },
  );

  it("whose batches are emptied while sources wait does not pass for a finished job", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = scheduler.runNow(id);
    await until(async () => (await bench.jobs.get(id)).waiting?.reason === "grace");
    await admin.query("DELETE FROM tranship_batches");
    clock.advance(3_600_000);
    await run;
    const job = await bench.jobs.get(id);
    expect(job).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("the ledger has lost batches"),
    });
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
  });
});
