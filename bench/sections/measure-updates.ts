/** Measures what an application feels, and the server counts, while rows are updated one way or the other. */

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { figure } from "../figures.ts";
import type { Latencies } from "../latencies.ts";
import type { Effort } from "../section.ts";
import type { WorkloadAnswer, WorkloadRequest } from "../worlds/database-workload.ts";
import { type DatabaseWorld, openDatabaseWorld, type Slice } from "../worlds/database-world.ts";
import type { FunctionsAnswer, FunctionsRequest } from "../worlds/invoke-functions.ts";

export const WAYS = ["nobody", "the service, in bulk", "functions, object by object"] as const;
export type Way = (typeof WAYS)[number];

export interface UpdatesRun {
  readonly way: Way;
  /** Of the application. */
  readonly latencies: Latencies;
  readonly objects: number;
  readonly objectsPerSecond: number;
  /** Rows that were left as they are: functions leave them to the service where the database is slow. */
  readonly left: number;
  /** UPDATE statements, and statements of any kind, of the account that moves. */
  readonly updates: number;
  readonly statements: number;
  /** Connections that the account has made, and the most at once. */
  readonly connections: number;
  readonly connectionsAtOnce: number;
}

export interface UpdatesOptions {
  readonly rounds: number;
  /** Measured seconds of each way. */
  readonly seconds: number;
  readonly objectsPerSecond: number;
  /** Rows of the table. */
  readonly rows: number;
  readonly environments: number;
  readonly workload: { readonly operationsPerSecond: number; readonly connections: number };
}

/** From the start of a process to its steady state. */
const RUN_UP_MS = 3000;
/** As the store is seeded. */
const BODY = Buffer.alloc(16, "tranship");
const MOVER = "tranship";
const WATCH_MS = 25;

/** Measures each way `rounds` times; throws when the service has not moved all rows in the end. */
export async function measureUpdates(effort: Effort, options: UpdatesOptions): Promise<UpdatesRun[]> {
  const { rounds, rows, seconds, objectsPerSecond } = options;
  const objects = Math.ceil(objectsPerSecond * (seconds + RUN_UP_MS / 1000 + 2));
  const world = await openDatabaseWorld(effort.dist, { rows, slices: rounds * 2, objects });
  const server = await openWatch(world);
  const runs: UpdatesRun[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [place, way] of WAYS.entries()) {
        const slice = world.slices[round * 2 + Math.max(0, place - 1)] as Slice;
        const run = await measureRun(world, server, options, way, slice);
        runs.push(run);
        effort.tell(`engines, ${way}: p99 ${figure(run.latencies.p99)} ms`);
      }
    }
  } finally {
    await server.connection.end();
    await world.close();
  }
  return runs;
}

interface Watch {
  readonly connection: Connection;
  /** Address of an account that is not counted. */
  readonly url: string;
}

/** Has the server count by account, and makes another one for the application and for looking. */
async function openWatch({ databaseUrl }: DatabaseWorld): Promise<Watch> {
  const setUp = await createConnection(databaseUrl);
  await setUp.query("SET GLOBAL userstat = 1");
  await setUp.query("CREATE USER application@'%' IDENTIFIED BY 'application'");
  await setUp.query("GRANT ALL ON *.* TO application@'%'");
  await setUp.end();
  const url = new URL(databaseUrl);
  url.username = "application";
  url.password = "application";
  return { connection: await createConnection(url.href), url: url.href };
}

async function measureRun(
  world: DatabaseWorld,
  { connection, url }: Watch,
  options: UpdatesOptions,
  way: Way,
  slice: Slice,
): Promise<UpdatesRun> {
  await connection.query("FLUSH USER_STATISTICS");
  let connectionsAtOnce = 0;
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await sleep(WATCH_MS)) {
      const [found] = await connection.query<RowDataPacket[]>(
        "SELECT COUNT(*) n FROM information_schema.PROCESSLIST WHERE USER = ?",
        [MOVER],
      );
      connectionsAtOnce = Math.max(connectionsAtOnce, Number(found[0]?.n));
    }
  })();
  const moving = startWay(world, options, way, slice);
  await sleep(RUN_UP_MS);
  const { workload, seconds } = options;
  const request: WorkloadRequest = { ...workload, url, rows: world.rows, hot: slice.ids, seconds };
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(world.dist, "bench/worlds/database-workload.js"),
    JSON.stringify(request),
  ]);
  const { latencies, failed } = JSON.parse(stdout) as WorkloadAnswer;
  if (failed > 0) throw new Error(`${failed} operations of the workload failed`);
  const { objects, perSecond } = await moving;
  isOver = true;
  await watching;
  const counts = await statistics(connection);
  const left = objects - (await world.movedRows(slice));
  if (left !== 0 && way !== "functions, object by object")
    throw new Error(`${way}: ${left} rows of ${objects} do not name their new keys`);
  return { way, latencies, objects, objectsPerSecond: perSecond, left, connectionsAtOnce, ...counts };
}

/** What the account that moves has done since the last flush. */
async function statistics(connection: Connection) {
  const [found] = await connection.query<RowDataPacket[]>(
    `SELECT TOTAL_CONNECTIONS connections, UPDATE_COMMANDS updates,
       SELECT_COMMANDS + UPDATE_COMMANDS + OTHER_COMMANDS statements
     FROM information_schema.USER_STATISTICS WHERE USER = ?`,
    [MOVER],
  );
  const number = (name: string) => Number(found[0]?.[name] ?? 0);
  return {
    connections: number("connections"),
    updates: number("updates"),
    statements: number("statements"),
  };
}

/** Begins; resolves when all objects of the slice are through. */
async function startWay(
  world: DatabaseWorld,
  options: UpdatesOptions,
  way: Way,
  slice: Slice,
): Promise<{ readonly objects: number; readonly perSecond: number }> {
  if (way === "nobody") return { objects: 0, perSecond: 0 };
  const { objects } = slice;
  if (way === "the service, in bulk") {
    const { seconds } = await world.startJob(slice, true, options.objectsPerSecond).ended;
    return { objects, perSecond: objects / seconds };
  }
  const { dist, storeUrl, databaseUrl } = world;
  const { environments, objectsPerSecond } = options;
  const { fromPrefix, toPrefix } = slice;
  const request: FunctionsRequest = {
    ...{ dist, storeUrl, databaseUrl, fromPrefix, toPrefix, objects, environments, objectsPerSecond },
    ...{ etag: createHash("md5").update(BODY).digest("hex"), size: BODY.length, maxThreadsRunning: 200 },
  };
  const script = join(dist, "bench/worlds/invoke-functions.js");
  const child = spawn(process.execPath, [script, JSON.stringify(request)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text.toString();
  });
  await new Promise<void>((resolve) => child.once("close", () => resolve()));
  const { copied, seconds } = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as FunctionsAnswer;
  return { objects: copied, perSecond: copied / seconds };
}
