/** A sandbox store, a directory and a configuration for the real executable, with the application's side in the test's hand. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { S3Operation } from "../../../src/sandbox-s3/protocol/s3-request.ts";
import { type SandboxStore, startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import {
  type Ended,
  type Running,
  type Service,
  spawnTranship,
  startService,
  temporaryDirectory,
} from "../service.ts";
import { fillStore } from "./workbench.ts";

export const KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key" };

const WRITES: readonly S3Operation[] = [
  "CopyObject",
  "PutObject",
  "DeleteObject",
  "DeleteObjects",
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
  "PutObjectTagging",
  "CreateBucket",
  "PutBucketVersioning",
];

/** What a table must be for most jobs: rows that name objects in `path`. */
export const IMAGES_TABLE =
  "CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT NOT NULL, legacy INTEGER NOT NULL DEFAULT 1)";

export interface SandboxWorld {
  readonly store: SandboxStore;
  /** Gone after `close`. */
  readonly directory: string;
  /** A configuration with the store `main` and a ledger in the directory; `more` replaces whole parts of it. */
  config(more?: Record<string, unknown>): Record<string, unknown>;
  /** How to reach the store, for stores with other names. */
  readonly main: Record<string, unknown>;
  /** Writes `content` (JSON unless it is text) into the directory and gives the path. */
  file(name: string, content: unknown): string;
  /** Makes two buckets, `NAME-a` with an object under each key, and `NAME-b`. */
  buckets(name: string, keys?: readonly string[]): Pair;
  /** Makes an SQLite database with `images` and gives its URL and a connection to it. */
  table(name: string, paths?: readonly string[]): { readonly url: string; readonly app: Sqlite.Database };
  /** Runs a command to its end in the directory. */
  tranship(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Starts a command in the directory. */
  start(args: readonly string[], env?: NodeJS.ProcessEnv): Running;
  /** Starts the service with {@link config}; whatever still runs at the end is killed. */
  serve(more?: Record<string, unknown>): Promise<Service>;
  /** Requests so far that could have changed the store. */
  writes(): number;
  close(): Promise<void>;
}

/** A source and a target bucket, as the parts of a job. */
export interface Pair {
  readonly source: { readonly bucket: string; readonly prefix: string };
  readonly target: { readonly bucket: string; readonly prefix: string };
}

export async function openSandboxWorld(): Promise<SandboxWorld> {
  const store = await startSandboxStore(KEYS);
  const directory = temporaryDirectory();
  const main = { ...KEYS, endpoint: store.url, region: "us-east-1", forcePathStyle: true };
  const open: Sqlite.Database[] = [];
  const services: Service[] = [];
  const started: Running[] = [];
  const world: SandboxWorld = {
    store,
    directory: directory.path,
    main,
    config: (more = {}) => ({
      progress: `sqlite:${directory.path}/ledger.db`,
      stores: { main },
      logLevel: "warn",
      ...more,
    }),
    file(name, content) {
      const path = join(directory.path, name);
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
      return path;
    },
    buckets(name, keys = []) {
      store.createBucket(`${name}-a`);
      store.createBucket(`${name}-b`);
      fillStore(store, `${name}-a`, keys);
      return {
        source: { bucket: `${name}-a`, prefix: "image/" },
        target: { bucket: `${name}-b`, prefix: "avatar/" },
      };
    },
    table(name, paths = []) {
      const path = join(directory.path, `${name}.db`);
      const app = new Sqlite(path);
      open.push(app);
      app.exec(IMAGES_TABLE);
      app.exec("CREATE INDEX images_path ON images (path)");
      const insert = app.prepare("INSERT INTO images (path) VALUES (?)");
      app.transaction(() => {
        for (const one of paths) insert.run(one);
      })();
      return { url: `sqlite:${path}`, app };
    },
    tranship: (args, env) => world.start(args, env).ended,
    start(args, env = {}) {
      const running = spawnTranship(args, { cwd: directory.path, env });
      started.push(running);
      return running;
    },
    async serve(more) {
      const service = await startService(world.config(more), directory.path);
      services.push(service);
      return service;
    },
    writes: () => WRITES.reduce((sum, operation) => sum + store.requests.count(operation), 0),
    async close() {
      store.faults.clear();
      for (const { child } of started) child.kill("SIGKILL");
      await Promise.all(started.map(({ ended }) => ended));
      await Promise.all(services.map((service) => service.kill("SIGKILL")));
      for (const app of open) app.close();
      await store.close();
      directory.remove();
    },
  };
  return world;
}

/** Where `key` goes. */
export const movedKey = (key: string): string => key.replace("image/", "avatar/");

/** The rows' paths in the order of their ids. */
export function pathsOf(app: Sqlite.Database): string[] {
  return app
    .prepare<[], { path: string }>("SELECT path FROM images ORDER BY id")
    .all()
    .map((row) => row.path);
}

/** Whether `key` holds what `fillStore` put under it before it was moved. */
export function holdsBodyOf(store: SandboxStore, bucket: string, key: string, seededAs: string): boolean {
  return store.getObject(bucket, key)?.read().toString() === `body of ${seededAs}`;
}

/** The last line of what a command printed, as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: what a script reads from stdout is not typed
export function lastLine({ stdout }: Ended): any {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
