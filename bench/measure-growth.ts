/** Jobs of growing size on a store that makes its objects from numbers: what one object costs must not grow. */

import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import { type NumberedWorld, SOURCE, startNumberedWorld, TARGET } from "./numbered-world.ts";
import { cpuMsOf, memoryOf } from "./process-facts.ts";

export interface GrowthOptions {
  /** Numbers of objects, a job each. */
  readonly sizes: readonly number[];
  /** The folder with the compiled program (`dist`). */
  readonly dist: string;
  readonly concurrency: number;
  /** Of every request at the store. */
  readonly latencyMs: number;
  /**
   * `mysql://…` of an empty MariaDB database of the benchmark's own: jobs of up to `mostRows` objects then have a
   * reference with a row for each. Null: no references.
   */
  readonly databaseUrl: string | null;
  /** Ten million rows would measure MariaDB's disk. */
  readonly mostRows: number;
  /** Told of each row as soon as there is one. */
  onRow?(row: GrowthRow): void;
}

/** One job. */
export interface GrowthRow {
  readonly objects: number;
  /** Whether a MariaDB reference was among it. */
  readonly withRows: boolean;
  readonly seconds: number;
  readonly objectsPerSecond: number;
  /** Of the whole service process, from the submission to the end. */
  readonly cpuMsPerObject: number;
  /** Resident memory of the service, in MiB: the most of all, of the job's second quarter, and of its last. */
  readonly rssPeakMb: number;
  readonly rssEarlyMb: number;
  readonly rssLateMb: number;
  readonly ledgerBytesPerObject: number;
  /** On the production database. */
  readonly statementsPerThousand: number;
  readonly requestsPerObject: number;
  /** From `POST /jobs` to the arrival of the first copy at the store. */
  readonly firstCopyMs: number;
  /** The same from the start of the process. */
  readonly firstCopyAfterStartMs: number;
  /** Of `GET /jobs/:id`, asked all the while. */
  readonly apiP50Ms: number;
  readonly apiP99Ms: number;
  readonly apiMaxMs: number;
}

const PROBE_EVERY_MS = 20;
const TABLE = "tranship_growth";

/** Runs one job after the other, smallest first; throws when one does not end `completed` with every object moved. */
export async function measureGrowth(options: GrowthOptions): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const objects of [...options.sizes].sort((a, b) => a - b)) {
    const databaseUrl = objects <= options.mostRows ? options.databaseUrl : null;
    if (databaseUrl !== null) await fillTable(databaseUrl, objects);
    const row = await measureJob({ ...options, databaseUrl }, objects);
    rows.push(row);
    options.onRow?.(row);
  }
  return rows;
}

async function measureJob(options: GrowthOptions, objects: number): Promise<GrowthRow> {
  const world = await startNumberedWorld({ ...options, objects });
  try {
    return await measureIn(world, options, objects);
  } finally {
    world.remove();
  }
}

async function measureIn(world: NumberedWorld, options: GrowthOptions, objects: number): Promise<GrowthRow> {
  const submittedAt = Date.now();
  const cpuBefore = cpuMsOf(world.servicePid);
  const job = await call(world, "POST", "/jobs", jobSpec(options));
  const watched = await watch(world, job.id, objects);
  const cpuMs = cpuMsOf(world.servicePid) - cpuBefore;
  const { peakMb } = memoryOf(world.servicePid);
  const ledgerBytes = await world.stopService();
  const { requests, firstAt, objects: left } = await world.stopStore();
  if (left[SOURCE.bucket] !== 0 || left[TARGET.bucket] !== objects) {
    throw new Error(`objects are not where they should be: ${JSON.stringify(left)}`);
  }
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const statements = Object.values(watched.job.statements).reduce((sum, count) => sum + count, 0);
  const firstCopyAt = firstAt.CopyObject ?? Number.NaN;
  return {
    objects,
    withRows: options.databaseUrl !== null,
    seconds: watched.job.seconds,
    objectsPerSecond: objects / watched.job.seconds,
    cpuMsPerObject: cpuMs / objects,
    rssPeakMb: peakMb,
    rssEarlyMb: watched.rssMb.early,
    rssLateMb: watched.rssMb.late,
    ledgerBytesPerObject: ledgerBytes / objects,
    statementsPerThousand: (statements * 1000) / objects,
    requestsPerObject: total / objects,
    firstCopyMs: firstCopyAt - submittedAt,
    firstCopyAfterStartMs: firstCopyAt - world.startedAt,
    apiP50Ms: quantile(watched.latencies, 0.5),
    apiP99Ms: quantile(watched.latencies, 0.99),
    apiMaxMs: quantile(watched.latencies, 1),
  };
}

function jobSpec({ concurrency, databaseUrl }: GrowthOptions) {
  return {
    name: "growth",
    source: SOURCE,
    target: TARGET,
    inventory: { from: "bucket" },
    ...(databaseUrl === null
      ? {}
      : { references: [{ database: "app", table: TABLE, key: "id", column: "path" }] }),
    limits: { concurrency, requestsPerSecond: null, rowsPerSecond: null },
    delete: { when: "verified", after: "0s" },
  };
}

/** What the measurement reads of a job's view. */
interface JobAnswer {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly seconds: number;
  readonly objects: { readonly moved: number };
  readonly statements: Readonly<Record<string, number>>;
}

/** Asks for the job again and again until it ends. */
async function watch(world: NumberedWorld, id: string, objects: number) {
  const latencies: number[] = [];
  const rssMb = { early: 0, late: 0 };
  for (;;) {
    const askedAt = performance.now();
    const job = await call(world, "GET", `/jobs/${id}`);
    latencies.push(performance.now() - askedAt);
    const share = job.objects.moved / objects;
    const { residentMb } = memoryOf(world.servicePid);
    if (share >= 0.25 && share < 0.5) rssMb.early = Math.max(rssMb.early, residentMb);
    if (share >= 0.75) rssMb.late = Math.max(rssMb.late, residentMb);
    if (job.state === "completed" && job.objects.moved === objects) return { job, latencies, rssMb };
    if (!["queued", "running", "waiting"].includes(job.state)) {
      throw new Error(`the job ended ${job.state}: ${job.reason ?? JSON.stringify(job.objects)}`);
    }
    await sleep(PROBE_EVERY_MS);
  }
}

async function call(world: NumberedWorld, method: string, path: string, body?: unknown): Promise<JobAnswer> {
  const response = await fetch(world.serviceUrl + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as JobAnswer;
}

/** A row for each object, by one statement on MariaDB's own sequence. */
async function fillTable(url: string, objects: number): Promise<void> {
  const connection = await mysql.createConnection(url);
  try {
    await connection.query(`DROP TABLE IF EXISTS ${TABLE}`);
    await connection.query(
      `CREATE TABLE ${TABLE} (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL, INDEX (path))`,
    );
    await connection.query(
      `INSERT INTO ${TABLE} (path) SELECT CONCAT(?, LPAD(seq, 9, '0')) FROM seq_0_to_${objects - 1}`,
      [SOURCE.prefix],
    );
  } finally {
    await connection.end();
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
