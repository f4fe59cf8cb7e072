/** What the production database's other users feel of a relocation: nothing, a job without rows, one with, a script. */

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import {
  type DatabaseFigures,
  figuresOf,
  SITUATIONS,
  type Situation,
  type SituationRun,
} from "./database-figures.ts";
import type { WorkloadAnswer, WorkloadRequest } from "./database-workload.ts";
import { type DatabaseWorld, type JobSummary, openDatabaseWorld, type Slice } from "./database-world.ts";
import { latenciesOf } from "./latencies.ts";
import type { ScriptRequest } from "./per-row-script.ts";
import { cpuMsOf } from "./process-facts.ts";

export interface DatabaseOptions {
  /** The folder with the compiled program, this file's process programs included (`dist`). */
  readonly dist: string;
  /** Times that each situation is measured, alternating; at least 3. */
  readonly rounds: number;
  /** Measured seconds of each situation. */
  readonly seconds: number;
  readonly objectsPerSecond: number;
  /** Rows of the table. */
  readonly rows: number;
  readonly workload: { readonly operationsPerSecond: number; readonly connections: number };
  /** Told of each run as soon as it is over. */
  onRun?(run: SituationRun): void;
}

/** From the start of a job's process to its steady state. */
const RUN_UP_MS = 3000;
const CONCURRENCY = 128;

/** Measures all situations `rounds` times; throws when a job does not end well or is over before the measurement is. */
export async function measureDatabase(options: DatabaseOptions): Promise<DatabaseFigures> {
  const { dist, rounds, rows } = options;
  // The warming up of the workload, and some room for a run that is slow to start.
  const objects = Math.ceil(options.objectsPerSecond * (options.seconds + RUN_UP_MS / 1000 + 2));
  const world = await openDatabaseWorld(dist, { rows, slices: rounds * 3, objects });
  const runs: SituationRun[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [place, situation] of SITUATIONS.entries()) {
        const slice = world.slices[round * 3 + Math.max(0, place - 1)];
        if (slice === undefined) throw new RangeError("too few slices");
        const run = await measureRun(world, options, situation, slice);
        runs.push(run);
        options.onRun?.(run);
      }
    }
  } finally {
    await world.close();
  }
  return figuresOf(runs);
}

async function measureRun(
  world: DatabaseWorld,
  options: DatabaseOptions,
  situation: Situation,
  slice: Slice,
): Promise<SituationRun> {
  const { dist, workload, seconds } = options;
  const other = startOther(world, options, situation, slice);
  await sleep(RUN_UP_MS);
  const request: WorkloadRequest = {
    ...workload,
    url: world.databaseUrl,
    rows: world.rows,
    hot: slice.ids,
    seconds,
  };
  const cpu = cpuMeter(world, other);
  const answer = await runToEnd<WorkloadAnswer>(dist, "database-workload", request);
  if (answer.failed > 0) throw new Error(`${answer.failed} operations of the workload failed`);
  if (situation !== "idle" && !other.isRunning())
    throw new Error(`${situation}: over before the measurement was`);
  const cores = cpu();
  const { objects, perSecond, statements: sent } = await other.stop();
  const statements = world.longStatements();
  const times = (kind: "read" | "rewrite") =>
    latenciesOf(statements.filter((each) => each.kind === kind).map(({ milliseconds }) => milliseconds));
  const rewrites = times("rewrite");
  // Each rewrites a thousand rows at most. Unread statements would have no length, which no budget forbids.
  if (situation === "job with its reference" && rewrites.operations < objects / 1000)
    throw new Error(`${rewrites.operations} rewriting statements are in the slow log, of ${objects} objects`);
  return {
    situation,
    latencies: answer.all,
    readLatencies: answer.reads,
    changeLatencies: answer.changes,
    objectsPerSecond: perSecond,
    statementsPerThousand: objects === 0 ? 0 : (sent * 1000) / objects,
    rewrites,
    reads: times("read"),
    cores,
  };
}

/** Starts to measure; the function given ends it. */
function cpuMeter({ pids }: DatabaseWorld, other: Other): () => SituationRun["cores"] {
  const read = () => ({
    mariadb: cpuMsOf(pids.mariadb),
    service: other.pid === null ? 0 : cpuMsOf(other.pid),
    store: cpuMsOf(pids.store),
  });
  const [before, begun] = [read(), performance.now()];
  return () => {
    const [after, ms] = [read(), performance.now() - begun];
    return {
      mariadb: (after.mariadb - before.mariadb) / ms,
      service: (after.service - before.service) / ms,
      store: (after.store - before.store) / ms,
    };
  };
}

interface Other {
  /** Null where no process is at work. */
  readonly pid: number | null;
  isRunning(): boolean;
  /** Waits for a job's end, or ends the script; gives what it did. */
  stop(): Promise<{ readonly objects: number; readonly perSecond: number; readonly statements: number }>;
}

const IDLE: Other = {
  pid: null,
  isRunning: () => true,
  stop: async () => ({ objects: 0, perSecond: 0, statements: 0 }),
};

function startOther(
  world: DatabaseWorld,
  options: DatabaseOptions,
  situation: Situation,
  slice: Slice,
): Other {
  if (situation === "idle") return IDLE;
  if (situation === "per-row script") return startScript(world, options, slice);
  const withReference = situation === "job with its reference";
  const { objectsPerSecond } = options;
  const job = world.startJob(slice, {
    withReference,
    inventory: "bucket",
    objectsPerSecond,
    concurrency: CONCURRENCY,
  });
  return {
    pid: job.pid,
    isRunning: job.isRunning,
    async stop() {
      const summary = await job.ended;
      await assertMoved(world, slice, summary, withReference);
      const { seconds, statements } = summary;
      const { objects } = slice;
      return { objects, perSecond: objects / seconds, statements: statements.app ?? 0 };
    },
  };
}

async function assertMoved(
  world: DatabaseWorld,
  slice: Slice,
  summary: JobSummary,
  withReference: boolean,
): Promise<void> {
  const expected = withReference ? slice.objects : 0;
  const moved = await world.movedRows(slice);
  if (moved !== expected || summary.objects.moved !== slice.objects) {
    throw new Error(
      `${moved} rows and ${summary.objects.moved} objects were moved, not ${expected} and ${slice.objects}`,
    );
  }
}

function startScript({ databaseUrl }: DatabaseWorld, options: DatabaseOptions, slice: Slice): Other {
  const { fromPrefix, toPrefix, objects } = slice;
  const { objectsPerSecond } = options;
  const request: ScriptRequest = {
    url: databaseUrl,
    fromPrefix,
    toPrefix,
    objects,
    connections: 16,
    objectsPerSecond,
  };
  const args = [join(options.dist, "bench/per-row-script.js"), JSON.stringify(request)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text.toString();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    pid: child.pid ?? 0,
    isRunning: () => child.exitCode === null,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      const { changed, seconds } = JSON.parse(out) as { changed: number; seconds: number };
      return { objects: changed, perSecond: changed / seconds, statements: 2 * changed };
    },
  };
}

async function runToEnd<Result>(dist: string, program: string, request: unknown): Promise<Result> {
  const args = [join(dist, `bench/${program}.js`), JSON.stringify(request)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Result;
}
