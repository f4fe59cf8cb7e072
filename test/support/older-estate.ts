/** Stores and tables as they stood beside a ledger when the process that worked with it was killed: taken down, and put up again. */

import Sqlite from "better-sqlite3";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import type { SandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";

/** A job of the estate, under whose name its buckets (`NAME-a`, `NAME-b`) and its table stand. */
export interface EstateJob {
  readonly name: string;
  readonly id: string;
  /** Keys that are to be moved. */
  readonly keys: readonly string[];
}

/** Everything that is not in the ledger. */
export interface Estate {
  readonly jobs: readonly EstateJob[];
  /** For each bucket its objects: key, text, epoch ms of the last change. */
  readonly buckets: Readonly<Record<string, readonly (readonly [string, string, number])[]>>;
  /** For each table the paths in the order of their ids, which count from 1. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
}

const KIND = { contentType: "image/png", metadata: { origin: "test" } };

/** Puts one object into a bucket, as it stood at `modifiedMs` (now unless given). */
export function putText(
  store: SandboxStore,
  bucket: string,
  key: string,
  text: string,
  modifiedMs = Date.now(),
) {
  store.putObject(bucket, key, text, { ...KIND, lastModified: new Date(modifiedMs) });
}

/** What stands in `bucket`, as an {@link Estate} has it. */
export function bucketContents(store: SandboxStore, bucket: string): [string, string, number][] {
  return store.listKeys(bucket).flatMap((key) => {
    const object = store.getObject(bucket, key);
    return object === undefined ? [] : [[key, object.read().toString(), object.lastModified.getTime()]];
  });
}

/** Puts all buckets of `estate` up in `store`. */
export function putUpBuckets(store: SandboxStore, { buckets }: Estate): void {
  for (const [bucket, objects] of Object.entries(buckets)) {
    store.createBucket(bucket);
    for (const [key, text, modifiedMs] of objects) putText(store, bucket, key, text, modifiedMs);
  }
}

/** The application's tables, one a job, each with an indexed `path`. */
export interface EstateTables {
  readonly url: string;
  create(name: string, paths: readonly string[]): Promise<void>;
  /** In the order of their ids. */
  paths(name: string): Promise<string[]>;
  /** Holds every row of `name` (in SQLite, of the file) against changes until the tables are closed. */
  lock(name: string): Promise<void>;
  close(): Promise<void>;
}

/** In the SQLite file `path`. */
export function sqliteTables(path: string): EstateTables {
  const app = new Sqlite(path);
  return {
    url: `sqlite:${path}`,
    create: async (name, paths) => {
      app.exec(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, path TEXT NOT NULL)`);
      app.exec(`CREATE INDEX ${name}_path ON ${name} (path)`);
      const insert = app.prepare(`INSERT INTO ${name} (path) VALUES (?)`);
      app.transaction(() => {
        for (const one of paths) insert.run(one);
      })();
    },
    paths: async (name) =>
      app
        .prepare<[], { path: string }>(`SELECT path FROM ${name} ORDER BY id`)
        .all()
        .map((row) => row.path),
    lock: async () => void app.exec("BEGIN IMMEDIATE"),
    close: async () => void app.close(),
  };
}

/** In the MariaDB schema at `url`. */
export async function mariadbTables(url: string): Promise<EstateTables> {
  const app: Connection = await createConnection(url);
  return {
    url,
    create: async (name, paths) => {
      await app.query(
        `CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL, KEY (path))`,
      );
      await app.query(`INSERT INTO ${name} (path) VALUES ?`, [paths.map((path) => [path])]);
    },
    paths: async (name) => {
      const [rows] = await app.query<RowDataPacket[]>(`SELECT path FROM ${name} ORDER BY id`);
      return rows.map((row) => row.path);
    },
    lock: async (name) => {
      await app.query("START TRANSACTION");
      await app.query(`SELECT * FROM ${name} FOR UPDATE`);
    },
    close: () => app.end(),
  };
}
