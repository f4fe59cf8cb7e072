/** Proves that the servers which the suites run on are real, and records what this Ceph does unlike AWS S3. */
import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  copySource,
  createBuckets,
  emptyBucket,
  fillBucket,
  listEverything,
  readObject,
  s3ClientFor,
} from "../support/buckets.ts";
import { hostileKeys } from "../support/hostile-keys.ts";
import { createS3User } from "../support/servers/ceph.ts";
import { createDatabase, startMariadb, type TestDatabase } from "../support/servers/mariadb.ts";

const wrongEtag = '"00000000000000000000000000000000"';

describe("Ceph RADOS Gateway", () => {
  const client = s3ClientFor(inject("s3"));
  let source = "";
  let target = "";
  beforeAll(async () => {
    ({ source, target } = await createBuckets(client, "source", "target"));
  });
  afterAll(() => client.destroy());

  const put = (key: string, body = "hello") => fillBucket(client, source, [{ key, body }]);
  const copy = (key: string, more: Partial<CopyObjectCommandInput> = {}) =>
    client.copyObject({ Bucket: target, Key: key, CopySource: copySource(source, key), ...more });

  test("keeps, lists and copies hostile keys byte for byte, in byte order", async () => {
    const { from, to } = await createBuckets(client, "from", "to");
    const entries = hostileKeys.map((key) => ({ key, body: key }));
    const filled = await fillBucket(client, from, entries);
    const listed = await listEverything(client, from);
    expect(listed).toEqual(filled);
    expect([...listed.keys()]).toEqual(
      [...hostileKeys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    for (const key of hostileKeys) {
      await client.copyObject({ Bucket: to, Key: key, CopySource: copySource(from, key) });
      const { Body } = await client.getObject({ Bucket: to, Key: key });
      expect(await Body?.transformToString()).toBe(key);
    }
    await emptyBucket(client, from);
    expect(await listEverything(client, from)).toEqual(new Map());
  });

  test("writes a space as %20, a plus as %2B and a slash as %2F in a URL-encoded listing", async () => {
    await put("enc/a b+c");
    const page = await client.listObjectsV2({ Bucket: source, Prefix: "enc/", EncodingType: "url" });
    expect(page.Contents?.[0]).toMatchObject({ Key: "enc%2Fa%20b%2Bc", Size: 5, StorageClass: "STANDARD" });
  });

  test("ignores every x-amz-copy-source-if-* header of the S3 protocol", async () => {
    // Ceph 16 looks for `x-amz-copy-if-match` instead, without "source": a bug, so it is no guard on this server.
    await put("guard");
    await expect(copy("guard", { CopySourceIfMatch: wrongEtag })).resolves.toBeDefined();
    await expect(copy("guard", { CopySourceIfUnmodifiedSince: new Date(1e12) })).resolves.toBeDefined();
  });

  test("honours x-amz-copy-if-match, its own name for that header", async () => {
    const send = async (etag: string) => {
      const guarded = s3ClientFor(inject("s3"));
      guarded.middlewareStack.add(
        (next) => (args) => {
          Object.assign((args.request as { headers: object }).headers, { "x-amz-copy-if-match": etag });
          return next(args);
        },
        { step: "build" },
      );
      const CopySource = copySource(source, "guard");
      await guarded.copyObject({ Bucket: target, Key: "guard", CopySource });
    };
    const etag = (await put("guard")).get("guard")?.etag ?? "";
    await send(etag);
    await expect(send(wrongEtag)).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
  });

  test("honours If-None-Match and If-Match on a put, but not on a copy's destination or a delete", async () => {
    await put("once");
    const overwrite = (condition: object) =>
      client.putObject({ Bucket: source, Key: "once", Body: "other", ...condition });
    const refused = { $metadata: { httpStatusCode: 412 } };
    await expect(overwrite({ IfNoneMatch: "*" })).rejects.toMatchObject(refused);
    await expect(overwrite({ IfMatch: wrongEtag })).rejects.toMatchObject(refused);
    await copy("once");
    await expect(copy("once", { IfNoneMatch: "*" })).resolves.toBeDefined();
    await client.deleteObject({ Bucket: source, Key: "once", IfMatch: wrongEtag });
    expect(await readObject(client, source, "once")).toBeUndefined();
  });

  test("takes tags along on a plain copy, loses them on REPLACE of metadata, and cannot set them", async () => {
    await fillBucket(client, source, [{ key: "tagged", tags: { a: "1" }, metadata: { m: "v" } }]);
    await copy("tagged");
    expect(await readObject(client, target, "tagged")).toMatchObject({
      tags: { a: "1" },
      head: { Metadata: { m: "v" } },
    });
    await copy("tagged", { TaggingDirective: "REPLACE", Tagging: "b=2" });
    expect(await readObject(client, target, "tagged")).toMatchObject({ tags: { a: "1" } });
    await copy("tagged", { MetadataDirective: "REPLACE", Metadata: {} });
    expect(await readObject(client, target, "tagged")).toMatchObject({ tags: {}, head: { Metadata: {} } });
  });

  test("deletes 1,000 keys in a request, refuses 1,001, and ignores an ETag in the list", async () => {
    const { many } = await createBuckets(client, "many");
    const entries = Array.from({ length: 1001 }, (_, index) => ({ key: `k/${index}` }));
    await fillBucket(client, many, entries);
    const objects = entries.map(({ key }) => ({ Key: key }));
    const remove = (Objects: { Key: string; ETag?: string }[]) =>
      client.deleteObjects({ Bucket: many, Delete: { Objects } });
    await expect(remove(objects)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect((await remove(objects.slice(0, 1000))).Deleted).toHaveLength(1000);
    await remove([{ Key: "k/1000", ETag: wrongEtag }]);
    expect(await listEverything(client, many)).toEqual(new Map());
    // A key which XML cannot carry makes the whole request malformed, here as on AWS.
    await expect(remove([{ Key: "ctl\x01" }])).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });

  test("keeps the -N ETag of a multipart upload on a copy, and tells nothing of its parts", async () => {
    const upload = { Bucket: source, Key: "parts" };
    const { UploadId } = await client.createMultipartUpload({ ...upload, Tagging: "a=1" });
    const parts = [];
    for (const [index, Body] of [Buffer.alloc(5 << 20), Buffer.from("tail")].entries()) {
      const PartNumber = index + 1;
      const { ETag } = await client.uploadPart({ ...upload, UploadId, PartNumber, Body });
      parts.push({ PartNumber, ETag });
    }
    const end = { ...upload, UploadId, MultipartUpload: { Parts: parts } };
    const completed = await client.completeMultipartUpload(end);
    // The answer names no ETag, and the tags given at the start are lost.
    expect(completed.ETag).toBe("");
    const facts = await readObject(client, source, "parts");
    expect(facts).toMatchObject({ tags: {}, head: { ETag: expect.stringMatching(/-2"$/) } });
    // Unlike AWS, where a CopyObject makes one part of it with a plain MD5. This ETag comes without its quotes.
    const copied = await copy("parts");
    expect(copied.CopyObjectResult?.ETag).toBe(facts?.head.ETag?.replaceAll('"', ""));
    const head = { ...upload, PartNumber: 1, ChecksumMode: "ENABLED" } as const;
    const answer = await client.headObject(head);
    expect(answer).toMatchObject({ ContentLength: (5 << 20) + 4, ETag: facts?.head.ETag });
    expect([answer.PartsCount, answer.ChecksumCRC32, answer.ChecksumType]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("copies a part by range, with no guard of any name, and completes onto an existing key", async () => {
    await put("ranged", "0123456789");
    const upload = { Bucket: target, Key: "ranged" };
    await copy("ranged");
    const { UploadId } = await client.createMultipartUpload(upload);
    const { CopyPartResult } = await client.uploadPartCopy({
      ...{ ...upload, UploadId, PartNumber: 1, CopySource: copySource(source, "ranged") },
      ...{ CopySourceRange: "bytes=2-4", CopySourceIfMatch: wrongEtag },
    });
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    await client.completeMultipartUpload({
      ...upload,
      UploadId,
      IfNoneMatch: "*",
      MultipartUpload: { Parts },
    });
    const { Body } = await client.getObject(upload);
    expect(await Body?.transformToString()).toBe("234");
  });

  test.skipIf(!inject("s3").cephConf)("denies another user the buckets of the first", async () => {
    const stranger = s3ClientFor(await createS3User(inject("s3"), `stranger-${process.pid}`));
    await expect(listEverything(stranger, source)).rejects.toMatchObject({ name: "AccessDenied" });
    stranger.destroy();
  });
});

describe("MariaDB", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(inject("mariadbUrl"));
  });
  afterAll(() => database.drop());

  async function ask(sql: string, url = database.url): Promise<RowDataPacket | undefined> {
    const connection = await createConnection(url);
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows[0];
    } finally {
      await connection.end();
    }
  }

  test("is a MariaDB with InnoDB and the defaults that operators have", async () => {
    const facts = "VERSION() AS version, @@default_storage_engine AS engine, @@tx_isolation AS isolation";
    expect(await ask(`SELECT ${facts}`)).toEqual({
      version: expect.stringContaining("MariaDB"),
      engine: "InnoDB",
      isolation: "REPEATABLE-READ",
    });
  });

  test.each([
    ["utf8mb4_general_ci", "'Photo.JPG' = 'photo.jpg'", 1],
    ["utf8mb4_general_ci", "'a ' = 'a'", 1],
    ["utf8mb4_general_ci", "'😀' = '😎'", 1],
    ["utf8mb4_bin", "'Photo.JPG' = 'photo.jpg'", 0],
    ["utf8mb4_bin", "'a ' = 'a'", 1],
    ["utf8mb4_nopad_bin", "'a ' = 'a'", 0],
    ["utf8mb4_general_ci", "CAST('a ' AS BINARY) = CAST('a' AS BINARY)", 0],
  ])("under %s says of %s: %i", async (collation, comparison, expected) => {
    const withCollation = comparison.replace(/^('[^']*')/, `$1 COLLATE ${collation}`);
    expect(await ask(`SELECT ${withCollation} AS same`)).toEqual({ same: expected });
  });

  test("keeps what was committed when it is killed, at the same address", async () => {
    const own = await startMariadb();
    const mine = await createDatabase(own.url);
    await ask("CREATE TABLE t (k VARBINARY(1024) PRIMARY KEY)", mine.url);
    await ask("INSERT INTO t VALUES ('kept')", mine.url);
    await own.kill9();
    await expect(ask("SELECT 1", mine.url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await own.restart();
    expect(await ask("SELECT CONVERT(k USING utf8mb4) AS k FROM t", mine.url)).toEqual({ k: "kept" });
    await own.dispose();
  });
});
