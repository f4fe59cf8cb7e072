/** One job on a store that makes its objects from numbers, watched through the service's API while it runs. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Latencies, latenciesOf } from "../latencies.ts";
import { cpuMsOf, memoryOf } from "../peers/process-facts.ts";
import type { ApplicationDatabase } from "../worlds/application-database.ts";
import { type NumberedWorld, startNumberedWorld, type WorldOptions } from "../worlds/numbered-world.ts";
import { assertMoved, requestsIn, SOURCE, TARGET } from "../worlds/store-process.ts";

export interface GrowthOptions extends Omit<WorldOptions, "databaseUrl"> {
  readonly concurrency: number;
  /** With a row for each object, which the job keeps pointing at it; null: no references. */
  readonly database: ApplicationDatabase | null;
}

/** What the job took. */
export interface GrowthRow {
  readonly objects: number;
  /** Whether a MariaDB reference was among it. */
  readonly withRows: boolean;
  readonly seconds: number;
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
  /** Of `GET /jobs/:id`, asked all the while. */
  readonly api: Latencies;
}

const PROBE_EVERY_MS = 20;

/** Throws when the job does not end `completed` with every object moved and every row pointing at it. */
export async function measureGrowth(options: GrowthOptions): Promise<GrowthRow> {
  const { database, objects } = options;
  await database?.fill(objects);
  const world = await startNumberedWorld({ ...options, databaseUrl: database?.url ?? null });
  try {
    const row = await measureIn(world, options);
    await database?.check(objects);
    return row;
  } finally {
    world.remove();
  }
}

async function measureIn(world: NumberedWorld, options: GrowthOptions): Promise<GrowthRow> {
  const { objects } = options;
  const submittedAt = Date.now();
  const cpuBefore = cpuMsOf(world.servicePid);
  const { id } = await call(world, "POST", "/jobs", jobSpec(options));
  const { job, latencies, rssMb } = await watch(world, id, objects);
  const cpuMs = cpuMsOf(world.servicePid) - cpuBefore;
  const { peakMb } = memoryOf(world.servicePid);
  const ledgerBytes = await world.stopService();
  const counts = await world.stopStore();
  assertMoved("the job", counts, objects);
  const statements = Object.values(job.statements).reduce((sum, count) => sum + count, 0);
  return {
    objects,
    withRows: options.database !== null,
    seconds: job.seconds,
    cpuMsPerObject: cpuMs / objects,
    rssPeakMb: peakMb,
    rssEarlyMb: rssMb.early,
    rssLateMb: rssMb.late,
    ledgerBytesPerObject: ledgerBytes / objects,
    statementsPerThousand: (statements * 1000) / objects,
    requestsPerObject: requestsIn(counts) / objects,
    firstCopyMs: (counts.firstAt.CopyObject ?? Number.NaN) - submittedAt,
    api: latenciesOf(latencies),
  };
}

function jobSpec({ concurrency, database }: GrowthOptions) {
  return {
    name: "growth",
    source: SOURCE,
    target: TARGET,
    inventory: { from: "bucket" },
    references: database === null ? [] : [database.reference],
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
