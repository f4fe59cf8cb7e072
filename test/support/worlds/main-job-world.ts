/** The main job: rows and ledger in MariaDB, objects in Ceph, the executable between; judged by buckets and rows alone. */

import type { S3 } from "@aws-sdk/client-s3";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { expect, inject } from "vitest";
import {
  type BucketEntry,
  createBuckets,
  fillBucket,
  type ListedObject,
  listEverything,
  readObject,
  s3ClientFor,
} from "../buckets.ts";
import { createDatabase } from "../servers/mariadb.ts";
import { type Answer, hasEnded, type Service, startService, temporaryDirectory } from "../service.ts";

export const HOSTILE: readonly string[] = [
  "image/a+b c/%41%2F.png",
  "image/üñï/日本語/😀.png",
  "image//double//slash.png",
  "image/../up/./here.png",
  "image/trailing space ",
  "image/quote'\"`\\back.png",
  "image/e\u0301-nfd.png",
  "image/\u00e9-nfc.png",
  "image/CASE.png",
  "image/case.png",
];
/** Objects that no row names. */
const ORPHANS: readonly string[] = ["image/orphan-1.png", "image/orphan-2.png", "image/orphan-3.png"];
/** What a row names, and is not there. */
export const MISSING = "image/missing.png";
/** Rows that the job leaves as they are. */
const UNTOUCHED = 103;

export const moved = (key: string) => `avatar/${key.slice("image/".length)}`;

type BucketName = "source" | "target" | "ops";

export interface MainJobOptions {
  /** Of the table; all but about a hundred name an object. */
  readonly rows: number;
  /** Gives the section `aws` of the store; `ops` is for manifests. */
  readonly aws?: (buckets: Readonly<Record<BucketName, string>>) => Promise<Record<string, unknown>>;
}

export interface MainJobWorld {
  readonly client: S3;
  readonly service: Service;
  readonly app: Connection;
  readonly buckets: Readonly<Record<BucketName, string>>;
  /** As they were put, by their old keys. */
  readonly objects: ReadonlyMap<string, ListedObject>;
  job(more?: Record<string, unknown>): Record<string, unknown>;
  /** Submits {@link job} and waits for its end. */
  run(more?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer["body"]>;
  /** All that rows name has moved, with the rows, and nothing else; the odd ones are told. */
  expectMoved(done: Answer["body"]): Promise<void>;
  /** Type, metadata and tags of `count` objects or so are each their own. */
  expectKept(count: number): Promise<void>;
  close(): Promise<void>;
}

interface Row {
  readonly path: string;
  readonly after: string;
  readonly legacyAfter: number;
}

export async function openMainJobWorld({ rows: count, aws }: MainJobOptions): Promise<MainJobWorld> {
  const directory = temporaryDirectory();
  const facts = inject("s3");
  const client = s3ClientFor(facts);
  const rows = seedRows(count);
  const entries = seedObjects(rows);
  const buckets = await createBuckets(client, "source", "target", "ops");
  const objects = await fillBucket(client, buckets.source, entries.values());
  const database = await createDatabase(inject("mariadbUrl"));
  const ledger = await createDatabase(inject("mariadbUrl"));
  const app = await createConnection(database.url);
  await fillTable(app, rows);
  const { endpoint, region, accessKeyId, secretAccessKey } = facts;
  const main = { endpoint, region, forcePathStyle: true, accessKeyId, secretAccessKey };
  const section = aws === undefined ? {} : { aws: await aws(buckets) };
  const config = {
    progress: ledger.url,
    stores: { main: { ...main, ...section } },
    databases: { app: database.url },
    logLevel: "warn",
  };
  const service = await startService(config, directory.path);
  const job: MainJobWorld["job"] = (more = {}) => ({
    name: "avatars",
    source: { bucket: buckets.source, prefix: "image/" },
    target: { bucket: buckets.target, prefix: "avatar/" },
    references: [{ database: "app", table: "images", key: "id", column: "path", set: { legacy: 0 } }],
    delete: { when: "verified", after: "0s" },
    limits: { concurrency: 64 },
    ...more,
  });
  const named = [...objects.keys()].filter((key) => !ORPHANS.includes(key));
  return {
    ...{ client, service, app, buckets, objects, job },
    async run(more = {}, headers = {}) {
      const submitted = await service.call("POST", "/jobs", job(more), headers);
      expect(submitted.status).toBe(202);
      expect(submitted.headers.get("location")).toBe(`/jobs/${submitted.body.id}`);
      return service.poll(submitted.body.id, hasEnded, 240_000);
    },
    async expectMoved(done) {
      expect(done).toMatchObject({ state: "completed_with_exceptions" });
      const counts = { planned: named.length + 1, moved: named.length, skipped: 0, exceptions: 1 };
      expect(done.objects).toMatchObject(counts);
      expect(done.rows.updated).toBe(named.length + 1);
      const { body: exceptions } = await service.call("GET", `/jobs/${done.id}/exceptions`);
      expect(exceptions.items).toMatchObject([{ key: MISSING, code: "source_missing" }]);
      const source = await listEverything(client, buckets.source);
      expect([...source.keys()].sort()).toEqual(ORPHANS);
      const target = await listEverything(client, buckets.target);
      expect(target).toEqual(new Map(named.map((key) => [moved(key), objects.get(key)])));
      const after = await readRows(app);
      expect(after.map((row) => row.path)).toEqual(rows.map((row) => row.after));
      expect(after.map((row) => row.legacy)).toEqual(rows.map((row) => row.legacyAfter));
      expect(after.every((row, i) => row.title === `title ${i}`)).toBe(true);
      expect(after.every((row) => row.untouched === 1)).toBe(true);
    },
    async expectKept(most) {
      const every = Math.ceil(named.length / most);
      const sample = [...HOSTILE, ...named.filter((_, i) => i % every === 0)];
      for (const key of sample) {
        const { contentType, metadata, tags = {} } = entries.get(key)!;
        const found = await readObject(client, buckets.target, moved(key));
        expect(found?.head).toMatchObject({ ContentType: contentType });
        expect(found?.head.Metadata).toEqual(metadata);
        expect(found?.tags).toEqual(tags);
      }
    },
    async close() {
      await service.kill("SIGTERM");
      await app.end();
      await Promise.all([database.drop(), ledger.drop()]);
      client.destroy();
      directory.remove();
    },
  };
}

/** Rows as they are seeded: path, and what the path must be in the end. */
function seedRows(count: number): Row[] {
  const plain = count - HOSTILE.length - UNTOUCHED - 2;
  const numbered = Array.from(
    { length: plain },
    (_, i) => `image/2024/${i % 12}/${i.toString(16).padStart(6, "0")}.png`,
  );
  // Two rows that name one key, far apart.
  const named = [...HOSTILE, ...numbered, numbered[40] ?? ""];
  const others = [
    ...Array.from({ length: 50 }, (_, i) => `avatar/new-${i}.png`),
    ...Array.from({ length: 50 }, (_, i) => `docs/image/${i}.pdf`),
    ...[MISSING, "IMAGE/upper.png", "image"],
  ];
  return [
    ...named.map((path) => ({ path, after: moved(path), legacyAfter: 0 })),
    ...others.map((path) => ({ path, after: path, legacyAfter: 1 })),
  ];
}

/** An object for each row that will change, and those without one; neighbours differ in all that is beside the bytes. */
function seedObjects(rows: readonly Row[]): Map<string, BucketEntry> {
  const keys = rows.filter(({ legacyAfter }) => legacyAfter === 0).map(({ path }) => path);
  const entry = (key: string, n: number): BucketEntry => ({
    ...{ key, body: `content of ${key}`, contentType: n % 3 === 0 ? "image/png" : "image/jpeg" },
    metadata: n % 5 === 0 ? { origin: "camera" } : { origin: "camera", number: String(n) },
    ...(n % 20 < 2 ? { tags: { kind: "photo", number: String(n) } } : {}),
  });
  return new Map([...new Set([...keys, ...ORPHANS])].map((key, n) => [key, entry(key, n)]));
}

async function fillTable(app: Connection, rows: readonly Row[]): Promise<void> {
  await app.query(
    `CREATE TABLE images (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL,
       legacy TINYINT NOT NULL DEFAULT 1, title VARCHAR(40) NOT NULL,
       updated_at TIMESTAMP(3) NOT NULL DEFAULT '2024-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP(3),
       KEY images_path (path)) COLLATE utf8mb4_general_ci`,
  );
  for (let from = 0; from < rows.length; from += 2000) {
    const slice = rows.slice(from, from + 2000).map(({ path }, i) => [path, `title ${from + i}`]);
    await app.query("INSERT INTO images (path, title) VALUES ?", [slice]);
  }
}

async function readRows(app: Connection): Promise<RowDataPacket[]> {
  const [found] = await app.query<RowDataPacket[]>(
    "SELECT id, path, legacy, title, updated_at = '2024-01-01 00:00:00' AS untouched FROM images ORDER BY id",
  );
  return found;
}
