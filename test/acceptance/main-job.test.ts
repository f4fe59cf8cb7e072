/** The main job with rows and ledger in MariaDB and objects in Ceph, checked by looking at buckets and rows. */

import type { S3 } from "@aws-sdk/client-s3";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createBuckets, fillBucket, listEverything, readObject, s3ClientFor } from "../support/buckets.ts";
import { createDatabase, type TestDatabase } from "../support/servers/mariadb.ts";
import { hasEnded, type Service, startService, temporaryDirectory } from "../support/service.ts";

const ROWS = 6_000;
const HOSTILE = [
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
const ORPHANS = ["image/orphan-1.png", "image/orphan-2.png", "image/orphan-3.png"];
const MISSING = "image/missing.png";

let client: S3;
let database: TestDatabase;
let ledger: TestDatabase;
let app: Connection;
let service: Service;
let buckets: { source: string; target: string };
const directory = temporaryDirectory();

/** Rows as they are seeded: id, path, and what the path must be in the end. */
const rows: { path: string; after: string; legacyAfter: number }[] = [];
const objects = new Map<string, { size: number; etag: string }>();
const bodies = new Map<string, string>();

const moved = (key: string) => `avatar/${key.slice("image/".length)}`;

function seedRows(): void {
  const plain = ROWS - HOSTILE.length - 105;
  const named = [
    ...HOSTILE,
    ...Array.from({ length: plain }, (_, i) => `image/2024/${i % 12}/${i.toString(16).padStart(6, "0")}.png`),
  ];
  for (const path of named) rows.push({ path, after: moved(path), legacyAfter: 0 });
  // Two rows that name one key, far apart.
  const twice = named[50] ?? "";
  rows.push({ path: twice, after: moved(twice), legacyAfter: 0 });
  for (let i = 0; i < 50; i += 1)
    rows.push({ path: `avatar/new-${i}.png`, after: `avatar/new-${i}.png`, legacyAfter: 1 });
  for (let i = 0; i < 50; i += 1)
    rows.push({ path: `docs/image/${i}.pdf`, after: `docs/image/${i}.pdf`, legacyAfter: 1 });
  rows.push({ path: MISSING, after: MISSING, legacyAfter: 1 });
  rows.push({ path: "IMAGE/upper.png", after: "IMAGE/upper.png", legacyAfter: 1 });
  rows.push({ path: "image", after: "image", legacyAfter: 1 });
  for (const key of [...new Set(named), ...ORPHANS]) bodies.set(key, `content of ${key}`);
}

beforeAll(async () => {
  seedRows();
  client = s3ClientFor(inject("s3"));
  buckets = await createBuckets(client, "source", "target");
  const entries = [...bodies].map(([key, body]) => ({
    key,
    body,
    contentType: "image/png",
    metadata: { origin: "camera" },
    ...(key.length % 50 === 0 ? { tags: { kind: "photo" } } : {}),
  }));
  for (const [key, facts] of await fillBucket(client, buckets.source, entries)) objects.set(key, facts);
  database = await createDatabase(inject("mariadbUrl"));
  ledger = await createDatabase(inject("mariadbUrl"));
  app = await createConnection(database.url);
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
  const { endpoint, region, accessKeyId, secretAccessKey } = inject("s3");
  service = await startService(
    {
      progress: ledger.url,
      stores: { main: { endpoint, region, forcePathStyle: true, accessKeyId, secretAccessKey } },
      databases: { app: database.url },
      logLevel: "warn",
    },
    directory.path,
  );
}, 180_000);

afterAll(async () => {
  await service?.kill("SIGTERM");
  await app?.end();
  await Promise.all([database?.drop(), ledger?.drop()]);
  client?.destroy();
  directory.remove();
});

function job(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: "avatars",
    source: { bucket: buckets.source, prefix: "image/" },
    target: { bucket: buckets.target, prefix: "avatar/" },
    references: [{ database: "app", table: "images", key: "id", column: "path", set: { legacy: 0 } }],
    delete: { when: "verified", after: "0s" },
    limits: { concurrency: 64 },
    ...more,
  };
}

async function readRows(): Promise<RowDataPacket[]> {
  const [found] = await app.query<RowDataPacket[]>(
    "SELECT id, path, legacy, title, updated_at = '2024-01-01 00:00:00' AS untouched FROM images ORDER BY id",
  );
  return found;
}

describe("the main job on MariaDB and Ceph", () => {
  it("moves what the rows name, and accounts for every odd one", async () => {
    const before = await listEverything(client, buckets.source);
    expect(before.size).toBe(bodies.size);

    const submitted = await service.call("POST", "/jobs", job(), { "idempotency-key": "main-job" });
    expect(submitted.status).toBe(202);
    expect(submitted.headers.get("location")).toBe(`/jobs/${submitted.body.id}`);
    const done = await service.poll(submitted.body.id, hasEnded, 240_000);

    const named = bodies.size - ORPHANS.length;
    expect(done).toMatchObject({ state: "completed_with_exceptions" });
    expect(done.objects).toMatchObject({ planned: named + 1, moved: named, skipped: 0, exceptions: 1 });
    expect(done.rows.updated).toBe(named + 1);
    const { body: exceptions } = await service.call("GET", `/jobs/${done.id}/exceptions`);
    expect(exceptions.items).toMatchObject([{ key: MISSING, code: "source_missing" }]);

    const source = await listEverything(client, buckets.source);
    expect([...source.keys()].sort()).toEqual(ORPHANS);
    const target = await listEverything(client, buckets.target);
    const expected = new Map(
      [...objects].filter(([key]) => !ORPHANS.includes(key)).map(([key, facts]) => [moved(key), facts]),
    );
    expect(target).toEqual(expected);

    const after = await readRows();
    expect(after.map((row) => row.path)).toEqual(rows.map((row) => row.after));
    expect(after.map((row) => row.legacy)).toEqual(rows.map((row) => row.legacyAfter));
    expect(after.every((row, i) => row.title === `title ${i}`)).toBe(true);
    expect(after.every((row) => row.untouched === 1)).toBe(true);
  }, 300_000);

  it("keeps bytes, content type, metadata and tags of every sampled object", async () => {
    const sample = [
      ...HOSTILE,
      ...[...bodies.keys()].filter((key, i) => !ORPHANS.includes(key) && i % 400 === 0),
    ];
    for (const key of sample) {
      const found = await readObject(client, buckets.target, moved(key));
      expect(found?.head).toMatchObject({ ContentType: "image/png", Metadata: { origin: "camera" } });
      expect(found?.tags).toEqual(key.length % 50 === 0 ? { kind: "photo" } : {});
    }
  });

  it("moves the objects no row names with a bucket inventory, and then no source is left", async () => {
    const { body } = await service.call(
      "POST",
      "/jobs",
      job({ name: "rest", inventory: { from: "bucket" } }),
    );
    const done = await service.poll(body.id, hasEnded);
    expect(done).toMatchObject({ state: "completed", objects: { planned: 3, moved: 3, exceptions: 0 } });
    expect((await listEverything(client, buckets.source)).size).toBe(0);
    const target = await listEverything(client, buckets.target);
    expect(target).toEqual(new Map([...objects].map(([key, facts]) => [moved(key), facts])));
  });

  it("moves the missing one after it was restored and the job retried", async () => {
    await fillBucket(client, buckets.source, [{ key: MISSING, body: "restored" }]);
    const list = await service.call("GET", "/jobs?state=completed_with_exceptions");
    const { id } = list.body.items[0];
    expect((await service.call("POST", `/jobs/${id}/retry`)).status).toBe(202);
    const done = await service.poll(id, (found) => found.state === "completed");
    expect(done.objects).toMatchObject({ exceptions: 0, moved: done.objects.planned });
    const [found] = await app.query<RowDataPacket[]>("SELECT path FROM images WHERE path = ?", [
      moved(MISSING),
    ]);
    expect(found).toEqual([{ path: moved(MISSING) }]);
    expect((await listEverything(client, buckets.source)).size).toBe(0);
  });
});
