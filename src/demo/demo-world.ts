/** Environment of the demo: an S3 server in this process, an application database, and a configuration that names both. */

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import Database from "better-sqlite3";
import { type SandboxStore, startSandboxStore } from "../sandbox-s3/sandbox-store.ts";
import { demoObject } from "./demo-objects.ts";
import {
  bystanderRows,
  CREATE_TABLE,
  type DemoRow,
  demoRowCount,
  demoRowsOf,
  MOVED_BEFORE,
  movedBeforeKey,
} from "./demo-rows.ts";

export const SOURCE_BUCKET = "bucket-a";
export const TARGET_BUCKET = "bucket-b";

/** Objects of the source bucket outside the prefix, which must not change. */
export const BYSTANDER_KEYS = [
  "banner/1.png",
  "images/2.png",
  "Image/3.png",
  "image",
  "old/image/4.png",
] as const;

/** Objects between two checks of the abort signal, which also let the event loop handle signals. */
const BREATH = 5_000;

export interface DemoWorld {
  readonly store: SandboxStore;
  readonly directory: string;
  /** File of the application database. */
  readonly databaseFile: string;
  readonly configFile: string;
  /** Secret of the API's token. */
  readonly token: string;
  /** Stops the S3 server, and removes the directory unless it is to be kept. */
  close(keep: boolean): Promise<void>;
}

/** Creates the environment with `objects` objects to move. Rejects with the signal's reason when it aborts meanwhile. */
export async function makeWorld(objects: number, signal: AbortSignal): Promise<DemoWorld> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-demo-"));
  const [accessKeyId, secretAccessKey, token] = [secret(), secret(), secret()];
  const store = await startSandboxStore({
    accessKeyId,
    secretAccessKey,
    buckets: [{ name: SOURCE_BUCKET }, { name: TARGET_BUCKET }],
  });
  const close = async (keep: boolean) => {
    await store.close();
    if (!keep) rmSync(directory, { recursive: true, force: true });
  };
  const databaseFile = join(directory, "application.db");
  const configFile = join(directory, "tranship.json");
  try {
    await fillStore(store, objects, signal);
    await fillDatabase(databaseFile, objects, signal);
  } catch (error) {
    await close(false);
    throw error;
  }
  const config = {
    listen: { host: "127.0.0.1", port: 0 },
    tokens: [{ name: "demo", secret: token, scopes: ["read", "operate", "approve"] }],
    progress: `sqlite:${join(directory, "ledger.db")}`,
    stores: {
      main: { endpoint: store.url, region: "us-east-1", forcePathStyle: true, accessKeyId, secretAccessKey },
    },
    databases: { app: `sqlite:${databaseFile}` },
    logLevel: "warn",
  };
  writeFileSync(configFile, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return { store, directory, databaseFile, configFile, token, close };
}

/** The bytes of an object that is not to be moved. */
export function bystanderBody(key: string): Buffer {
  return Buffer.from(`not to be moved: ${key}\n`);
}

function secret(): string {
  return randomBytes(20).toString("hex");
}

async function fillStore(store: SandboxStore, objects: number, signal: AbortSignal): Promise<void> {
  for (const key of BYSTANDER_KEYS) store.putObject(SOURCE_BUCKET, key, bystanderBody(key));
  for (let i = 0; i < MOVED_BEFORE; i += 1) {
    store.putObject(TARGET_BUCKET, movedBeforeKey(i), bystanderBody(movedBeforeKey(i)));
  }
  for (let index = 0; index < objects; index += 1) {
    const { key, body, options } = demoObject(index);
    store.putObject(SOURCE_BUCKET, key, body, options);
    if (index % BREATH === 0) await breathe(undefined, { signal });
  }
}

async function fillDatabase(file: string, objects: number, signal: AbortSignal): Promise<void> {
  const database = new Database(file);
  try {
    database.pragma("journal_mode = WAL");
    for (const statement of CREATE_TABLE) database.exec(statement);
    const insert = database.prepare<DemoRow>(
      "INSERT INTO images (id, path, legacy, title, updated_at) VALUES (@id, @path, @legacy, @title, @updated_at)",
    );
    const insertAll = database.transaction((rows: readonly DemoRow[]) => {
      for (const row of rows) insert.run(row);
    });
    for (let from = 0; from < objects; from += BREATH) {
      const count = Math.min(BREATH, objects - from);
      insertAll(Array.from({ length: count }, (_, i) => demoRowsOf(from + i)).flat());
      await breathe(undefined, { signal });
    }
    insertAll(bystanderRows(demoRowCount(objects) + 1));
  } finally {
    database.close();
  }
}
