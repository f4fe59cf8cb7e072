/** A whole Tranship in this process, on the sandbox store and SQLite, with the application's side in the test's hand. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { ServiceEngine } from "../../../src/engines/service-engine.ts";
import type { JobParts } from "../../../src/jobs/job-parts.ts";
import type { Jobs } from "../../../src/jobs/jobs.ts";
import { BucketGovernors } from "../../../src/jobs/run/bucket-governors.ts";
import { Scheduler } from "../../../src/jobs/run/scheduler.ts";
import { createJobs } from "../../../src/jobs/submit/create-jobs.ts";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import type { RequestMatch } from "../../../src/sandbox-s3/faults/fault-rules.ts";
import {
  type SandboxStore,
  type SandboxStoreOptions,
  startSandboxStore,
} from "../../../src/sandbox-s3/sandbox-store.ts";
import { openLedger } from "../../../src/stores/ledger/open-ledger.ts";
import { luxonCalendar } from "../../../src/stores/luxon-calendar.ts";
import { csvManifest } from "../../../src/stores/manifest/csv-manifest.ts";
import { openConnections, type Patience } from "../../../src/stores/open-connections.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";

const silent = { info() {}, warn() {}, error() {} };
export const WORKBENCH_KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key" };

export interface Workbench {
  readonly store: SandboxStore;
  readonly app: Sqlite.Database;
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly parts: JobParts;
  /** Adds rows to `images`; ids count from 1. */
  addRows(paths: readonly string[]): void;
  /** All rows' paths in id order. */
  paths(): string[];
  /** Submits a job (bucket-a/image/ → bucket-b/avatar/ with the `images` table unless told otherwise). */
  submit(job?: Record<string, unknown>): Promise<string>;
  /** Runs job `id` here until it is left. */
  work(id: string): Promise<JobView>;
  /** Submits and runs. */
  move(job?: Record<string, unknown>): Promise<JobView>;
  /** Submits and runs; calls `act` with the job's id while the first request that matches is held up. */
  moveWhile(
    match: RequestMatch & { readonly held?: "before" | "after" },
    act: (id: string) => unknown,
    job?: Record<string, unknown>,
  ): Promise<JobView>;
  /** Takes the exceptions of job `id` up again and runs it. */
  retry(id: string): Promise<JobView>;
  /** A scheduler of another process, as it were, on the same ledger. */
  otherScheduler(owner: string): Scheduler;
  scheduler: Scheduler;
  exceptions(id: string): Promise<Record<string, string>>;
  close(): Promise<void>;
}

/** The reference to `images.path` that most jobs have. */
export const IMAGES = { database: "app", table: "images", key: "id", column: "path" };

export interface WorkbenchOptions {
  readonly clock?: Clock;
  readonly ledgerUrl?: string;
  readonly appUrl?: string;
  readonly store?: Partial<SandboxStoreOptions>;
  /** Replaces settings of the configured store; `null` leaves a setting out. */
  readonly connect?: Readonly<Record<string, string | object | null>>;
  readonly patience?: Patience;
  readonly engines?: JobParts["consignmentEngines"];
}

/** Starts an empty workbench; everything it made is gone after `close`. */
export async function openWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-workbench-"));
  const store = await startSandboxStore({
    ...WORKBENCH_KEYS,
    buckets: [{ name: "bucket-a" }, { name: "bucket-b" }],
    ...options.store,
  });
  const app = new Sqlite(join(directory, "app.db"));
  app.exec("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT, legacy INTEGER DEFAULT 1, title TEXT)");
  app.exec("CREATE INDEX images_path ON images (path)");
  const ledger = await openLedger(options.ledgerUrl ?? `sqlite:${join(directory, "ledger.db")}`);
  const main = {
    ...WORKBENCH_KEYS,
    endpoint: store.url,
    region: "us-east-1",
    forcePathStyle: true,
    ...options.connect,
  };
  const settings = Object.fromEntries(Object.entries(main).filter(([, value]) => value !== null));
  const connections = openConnections(
    {
      stores: { main: settings },
      databases: { app: options.appUrl ?? `sqlite:${join(directory, "app.db")}` },
    },
    options.patience,
  );
  const clock = options.clock ?? systemClock;
  const parts: JobParts = {
    clock,
    calendar: luxonCalendar,
    leaseMs: 10_000,
    ledger,
    connections,
    governors: new BucketGovernors(),
    copyEngine: (store, concurrency) => new ServiceEngine(store, concurrency),
    consignmentEngines: options.engines ?? {},
    manifestReader: csvManifest,
  };
  const scheduler = new Scheduler(parts, "test", silent);
  const jobs = createJobs(parts, scheduler);
  const bench: Workbench = {
    store,
    app,
    ledger,
    jobs,
    parts,
    scheduler,
    otherScheduler: (owner) => new Scheduler(parts, owner, silent),
    addRows(paths) {
      const insert = app.prepare("INSERT INTO images (path) VALUES (?)");
      app.transaction(() => {
        for (const path of paths) insert.run(path);
      })();
    },
    paths: () =>
      app
        .prepare<[], { path: string }>("SELECT path FROM images ORDER BY id")
        .all()
        .map((row) => row.path),
    async submit(job = {}) {
      const { job: view } = await jobs.submit(
        { ...defaultJob(), ...job },
        { idempotencyKey: null, actor: "test" },
      );
      return view.id;
    },
    async work(id) {
      await scheduler.runNow(id);
      return jobs.get(id);
    },
    async move(job) {
      return bench.work(await bench.submit(job));
    },
    async moveWhile({ held = "before", ...match }, act, job) {
      const id = await bench.submit(job);
      const hold = store.faults.hold(match, held);
      const run = bench.work(id);
      await hold.arrival();
      await act(id);
      hold.release();
      return run;
    },
    async retry(id) {
      await jobs.act(id, "retry", "ann");
      return bench.work(id);
    },
    async exceptions(id) {
      const page = await jobs.exceptions(id, { cursor: null, limit: 1000 });
      return Object.fromEntries(page.items.map((item) => [item.key, item.code]));
    },
    async close() {
      store.faults.clear();
      await scheduler.close();
      await connections.close();
      await ledger.close();
      app.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

/** Starts a workbench with an object in `bucket-a` and a row for each key. */
export async function openFilledWorkbench(
  keys: readonly string[],
  options: WorkbenchOptions = {},
): Promise<Workbench> {
  const bench = await openWorkbench(options);
  fillStore(bench.store, "bucket-a", keys);
  bench.addRows(keys);
  return bench;
}

function defaultJob(): Record<string, unknown> {
  return {
    source: { bucket: "bucket-a", prefix: "image/" },
    target: { bucket: "bucket-b", prefix: "avatar/" },
    references: [IMAGES],
    delete: { when: "verified", after: "0s" },
  };
}

/** `count` keys under `image/`, zero-padded so that their order is their number. */
export function imageKeys(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `image/${String(first + i).padStart(6, "0")}.png`);
}

/** Puts an object of its own content under each key. */
export function fillStore(store: SandboxStore, bucket: string, keys: readonly string[]): void {
  for (const key of keys) {
    store.putObject(bucket, key, `body of ${key}`, {
      contentType: "image/png",
      metadata: { origin: "test" },
    });
  }
}
