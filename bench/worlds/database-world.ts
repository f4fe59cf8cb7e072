/** A production database of a million rows, a store that holds what they name, and jobs that move slices of both. */

import { spawn } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { nodeArguments } from "../../test/support/executable.ts";
import { createRunDirectory, removeRunDirectory } from "../../test/support/run-directory.ts";
import { startMariadb } from "../../test/support/servers/mariadb.ts";
import { type LongStatement, readSlowLog } from "./slow-log.ts";
import { startStore, storeConfig } from "./store-process.ts";

/** A slice of the rows, with an object for each. */
export interface Slice {
  readonly fromPrefix: string;
  readonly toPrefix: string;
  readonly objects: number;
  /** Ids of its rows. */
  readonly ids: readonly [first: number, last: number];
}

export interface DatabaseWorld {
  /** The folder of the compiled program. */
  readonly dist: string;
  readonly databaseUrl: string;
  readonly storeUrl: string;
  /** Rows at the start: ids 1 to this number. */
  readonly rows: number;
  readonly slices: readonly Slice[];
  /** Starts `tranship run` for the slice; `withReference` also points its rows at the new keys. */
  startJob(slice: Slice, withReference: boolean, objectsPerSecond: number): Job;
  /** Rows of the slice that name the new keys. */
  movedRows(slice: Slice): Promise<number>;
  /** Statements over many rows since the last call. */
  longStatements(): readonly LongStatement[];
  close(): Promise<void>;
}

export interface Job {
  /** The summary that `tranship run --json` prints, when the job has ended; rejects unless it is `completed`. */
  readonly ended: Promise<FinishedJob>;
  readonly isRunning: () => boolean;
}

export interface FinishedJob {
  readonly seconds: number;
  readonly objects: { readonly moved: number };
  readonly statements: Readonly<Record<string, number>>;
}

const CONCURRENCY = 128;
const TABLE =
  "CREATE TABLE images (id BIGINT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(255) NOT NULL, title VARCHAR(100) NOT NULL, " +
  "hits INT NOT NULL DEFAULT 0, updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, " +
  "KEY (path))";

/**
 * Starts MariaDB and a sandbox store. The server commits durably, as production does. Statements that look at 100 rows
 * and more are written to its slow log with their times. `dist` is the folder of the compiled program.
 */
export async function openDatabaseWorld(
  dist: string,
  size: { readonly rows: number; readonly slices: number; readonly objects: number },
): Promise<DatabaseWorld> {
  const directory = createRunDirectory();
  const slowLog = join(directory, "slow.log");
  const mariadb = await startMariadb({
    dir: directory,
    settings: [
      "innodb_flush_log_at_trx_commit=1",
      "innodb_buffer_pool_size=1G",
      "innodb_log_file_size=512M",
      "slow_query_log=1",
      `slow_query_log_file=${slowLog}`,
      "long_query_time=0",
      "min_examined_row_limit=100",
    ],
  });
  const slices = Array.from({ length: size.slices }, (_, i) => sliceOf(i, size.objects));
  await fillTable(mariadb.url, size.rows, slices);
  const store = await startStore(dist, {
    buckets: "bucket-a,bucket-b",
    seed: slices.map(({ fromPrefix, objects }) => `bucket-a/${fromPrefix}:${objects}:16`),
  });
  const databaseUrl = `${mariadb.url}/app`;
  truncateSync(slowLog);
  return {
    dist,
    databaseUrl,
    storeUrl: store.url,
    rows: size.rows,
    slices,
    startJob(slice, withReference, objectsPerSecond) {
      const name = `job-${slice.ids[0]}-${withReference ? "rows" : "plain"}`;
      const config = join(directory, `${name}.config.json`);
      const job = join(directory, `${name}.json`);
      const progress = `sqlite:${join(directory, `${name}.db`)}`;
      const given = {
        progress,
        stores: { main: storeConfig(store.url) },
        databases: { app: databaseUrl },
        logLevel: "warn",
      };
      writeFileSync(config, JSON.stringify(given));
      writeFileSync(job, JSON.stringify(jobOf(slice, withReference, objectsPerSecond)));
      return runJob(dist, job, config);
    },
    async movedRows({ toPrefix }) {
      const connection = await createConnection(databaseUrl);
      await connection.query("SET SESSION slow_query_log = OFF");
      const [rows] = await connection.query<RowDataPacket[]>(
        "SELECT COUNT(*) n FROM images WHERE path LIKE ?",
        [`${toPrefix}%`],
      );
      await connection.end();
      return Number(rows[0]?.n);
    },
    longStatements() {
      const statements = readSlowLog(readFileSync(slowLog, "utf8"));
      truncateSync(slowLog);
      return statements;
    },
    async close() {
      store.kill();
      await mariadb.dispose();
      removeRunDirectory(directory);
    },
  };
}

function sliceOf(index: number, objects: number): Slice {
  const name = String(index).padStart(3, "0");
  return {
    fromPrefix: `image/${name}/portraits/original/`,
    toPrefix: `avatar/${name}/portraits/original/`,
    objects,
    ids: [index * objects + 1, (index + 1) * objects],
  };
}

function jobOf({ fromPrefix, toPrefix }: Slice, withReference: boolean, objectsPerSecond: number) {
  return {
    source: { bucket: "bucket-a", prefix: fromPrefix },
    target: { bucket: "bucket-b", prefix: toPrefix },
    inventory: { from: "bucket" },
    references: withReference ? [{ database: "app", table: "images", key: "id", column: "path" }] : [],
    limits: { concurrency: CONCURRENCY, requestsPerSecond: objectsPerSecond },
    delete: { when: "verified", after: "0s" },
  };
}

/** Ids within a slice stand in no order of the keys, as in a table that grew by uploads. */
async function fillTable(serverUrl: string, rows: number, slices: readonly Slice[]): Promise<void> {
  const connection = await createConnection(serverUrl);
  await connection.query("CREATE DATABASE app CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
  await connection.query("USE app");
  await connection.query(TABLE);
  for (const { fromPrefix, objects, ids } of slices) {
    await connection.query(
      `INSERT INTO images (id, path, title) SELECT ${ids[0]} + seq, ` +
        `CONCAT('${fromPrefix}', LPAD((seq * 7919) % ${objects}, 9, '0')), CONCAT('picture no. ', seq, ' of the application') ` +
        `FROM seq_0_to_${objects - 1}`,
    );
  }
  const filled = slices.at(-1)?.ids[1] ?? 0;
  if (rows > filled) {
    await connection.query(
      `INSERT INTO images (id, path, title) SELECT seq, CONCAT('filler/', seq), 'filler' FROM seq_${filled + 1}_to_${rows}`,
    );
  }
  await connection.query("ANALYZE TABLE images");
  await connection.end();
}

function runJob(dist: string, job: string, config: string): Job {
  const args = nodeArguments(dist, ["run", job, "--config", config, "--json"]);
  const child = spawn(process.execPath, ["--no-deprecation", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (text: Buffer) => {
      said[stream] += text.toString();
    });
  }
  const ended = new Promise<FinishedJob>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(said.stdout.trimEnd().split("\n").at(-1) ?? "") as FinishedJob);
      else reject(new Error(`tranship run ended with ${code}: ${said.stdout}${said.stderr}`));
    });
  });
  return { ended, isRunning: () => child.exitCode === null && child.signalCode === null };
}
