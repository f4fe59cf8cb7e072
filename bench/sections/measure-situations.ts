/** Measures an application on the production database while something else goes on there. */

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { figure } from "../figures.ts";
import type { Latencies } from "../latencies.ts";
import type { Effort } from "../section.ts";
import type { WorkloadAnswer, WorkloadRequest } from "../worlds/database-workload.ts";
import { type DatabaseWorld, openDatabaseWorld, type Slice } from "../worlds/database-world.ts";
import type { ScriptRequest } from "../worlds/per-row-script.ts";

/** What goes on beside the application, in the order of a round. */
export const SITUATIONS = [
  "idle",
  "job without references",
  "job with its reference",
  "per-row script",
] as const;
export type Situation = (typeof SITUATIONS)[number];

/** One measured run. */
export interface SituationRun {
  readonly situation: Situation;
  /** Of the application. */
  readonly latencies: Latencies;
  /** Objects moved, or rows changed by the script, a second; 0 when idle. */
  readonly objectsPerSecond: number;
  /** For 1,000 objects, as Tranship counts them (`test/integration/limits/statement-count.test.ts` checks that); the script sends two each. */
  readonly statementsPerThousand: number;
  /** Of the statements that looked at 100 rows and more, commit included, by the server's own log; 0: there was none. */
  readonly longestReadMs: number;
  readonly longestRewriteMs: number;
}

export interface SituationOptions {
  /** Times that each situation is measured, alternating. */
  readonly rounds: number;
  /** Measured seconds of each situation. */
  readonly seconds: number;
  readonly objectsPerSecond: number;
  /** Rows of the table. */
  readonly rows: number;
  readonly workload: { readonly operationsPerSecond: number; readonly connections: number };
}

/** From the start of a job's process to its steady state. */
const RUN_UP_MS = 3000;

/** Measures all situations `rounds` times; throws when a job does not end well or is over before the measurement is. */
export async function measureSituations(
  { dist, tell }: Effort,
  options: SituationOptions,
): Promise<SituationRun[]> {
  const { rounds, rows } = options;
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
        tell(`database, ${situation}: p99 ${figure(run.latencies.p99)} ms`);
      }
    }
  } finally {
    await world.close();
  }
  return runs;
}

async function measureRun(
  world: DatabaseWorld,
  options: SituationOptions,
  situation: Situation,
  slice: Slice,
): Promise<SituationRun> {
  const other = startOther(world, options, situation, slice);
  await sleep(RUN_UP_MS);
  const { databaseUrl: url, rows } = world;
  const { workload, seconds } = options;
  const request: WorkloadRequest = { ...workload, url, rows, hot: slice.ids, seconds };
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(world.dist, "bench/worlds/database-workload.js"),
    JSON.stringify(request),
  ]);
  const { latencies, failed } = JSON.parse(stdout) as WorkloadAnswer;
  if (failed > 0) throw new Error(`${failed} operations of the workload failed`);
  if (!other.isRunning()) throw new Error(`${situation}: over before the measurement was`);
  const { objects, perSecond, statements: sent } = await other.stop();
  const statements = world.longStatements();
  const times = (kind: "read" | "rewrite") =>
    statements.filter((each) => each.kind === kind).map(({ milliseconds }) => milliseconds);
  const rewrites = times("rewrite");
  // Each rewrites a thousand rows at most. Unread statements would have no length, which no budget forbids.
  if (situation === "job with its reference" && rewrites.length < objects / 1000)
    throw new Error(`${rewrites.length} rewriting statements are in the slow log, of ${objects} objects`);
  return {
    situation,
    latencies,
    objectsPerSecond: perSecond,
    statementsPerThousand: objects === 0 ? 0 : (sent * 1000) / objects,
    longestReadMs: Math.max(0, ...times("read")),
    longestRewriteMs: Math.max(0, ...rewrites),
  };
}

/** What goes on beside the application. */
interface Other {
  isRunning(): boolean;
  /** Waits for a job's end, or ends the script; gives what it did. */
  stop(): Promise<{ readonly objects: number; readonly perSecond: number; readonly statements: number }>;
}

function startOther(
  world: DatabaseWorld,
  options: SituationOptions,
  situation: Situation,
  slice: Slice,
): Other {
  if (situation === "idle") {
    return { isRunning: () => true, stop: async () => ({ objects: 0, perSecond: 0, statements: 0 }) };
  }
  if (situation === "per-row script") return startScript(world, options, slice);
  const withReference = situation === "job with its reference";
  const job = world.startJob(slice, withReference, options.objectsPerSecond);
  return {
    isRunning: job.isRunning,
    async stop() {
      const { seconds, statements, objects } = await job.ended;
      const [rows, expected] = [await world.movedRows(slice), withReference ? slice.objects : 0];
      if (rows !== expected || objects.moved !== slice.objects) {
        throw new Error(
          `${rows} rows and ${objects.moved} objects were moved, not ${expected} and ${slice.objects}`,
        );
      }
      const perSecond = slice.objects / seconds;
      return { objects: slice.objects, perSecond, statements: statements.app ?? 0 };
    },
  };
}

function startScript({ databaseUrl, dist }: DatabaseWorld, options: SituationOptions, slice: Slice): Other {
  const { fromPrefix, toPrefix, objects } = slice;
  const { objectsPerSecond } = options;
  const request: ScriptRequest = {
    ...{ url: databaseUrl, fromPrefix, toPrefix, objects, objectsPerSecond },
    connections: 16,
  };
  const args = [join(dist, "bench/worlds/per-row-script.js"), JSON.stringify(request)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text.toString();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    isRunning: () => child.exitCode === null,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      const { changed, seconds } = JSON.parse(out) as { changed: number; seconds: number };
      return { objects: changed, perSecond: changed / seconds, statements: 2 * changed };
    },
  };
}
