/** Large objects: in parts where that is needed or faster and can be proved; nothing of them is lost on the way. */

import type { S3 } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noRequests } from "../../src/ports/object-store.ts";
import type { SeedOptions } from "../../src/sandbox-s3/buckets/seeding.ts";
import type { S3Request } from "../../src/sandbox-s3/protocol/s3-request.ts";
import { connectTo } from "../support/sandbox-client.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { WORKBENCH_KEYS } from "../support/worlds/workbench.ts";

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;
/** What AWS copies in one request, about. */
const COPY_SPEED = 100 * MIB;

let client: S3;
benchForEach();
beforeEach(() => {
  client = connectTo(bench.store, { credentials: WORKBENCH_KEYS });
});
afterEach(() => client.destroy());

const seed = (name: string, size: number, options: SeedOptions = {}) =>
  bench.store.putObject("bucket-a", `image/${name}`, { size, seed: size % 1000 }, options);

/** All that an independent client can see of an object, but where and when. */
async function look(Bucket: string, Key: string) {
  const at = { Bucket, Key };
  const head = await client.headObject({ ...at, ChecksumMode: "ENABLED" });
  const { TagSet = [] } = await client.getObjectTagging(at);
  const { $metadata: _, LastModified: __, ETag: ___, ...facts } = head;
  return { ...facts, TagSet };
}

/** Counts the requests of one operation for each key. */
function countByKey(operation: "UploadPartCopy" | "CopyObject"): Map<string, number> {
  const counts = new Map<string, number>();
  const when = ({ target }: S3Request) => {
    counts.set(target.key, (counts.get(target.key) ?? 0) + 1);
    return false;
  };
  bench.store.faults.add({ operation, when, effect: { type: "internal-error" } });
  return counts;
}

describe("a job with large objects", () => {
  it("moves them whole, in parts where one request cannot or is slow, beside small ones", async () => {
    const rich: SeedOptions = {
      contentType: "video/mp4",
      cacheControl: "max-age=60",
      contentDisposition: 'attachment; filename="a.mp4"',
      contentEncoding: "identity",
      contentLanguage: "de",
      expires: "Thu, 01 Jan 2032 00:00:00 GMT",
      metadata: { owner: "somebody", "two-words": "a b" },
      tags: { kind: "film", "a key": "with = and &" },
      storageClass: "STANDARD_IA",
      serverSideEncryption: "aws:kms",
      kmsKeyId: "arn:aws:kms:us-east-1:1:key/1",
      bucketKey: true,
    };
    const { serverSideEncryption: _, kmsKeyId: __, bucketKey: ___, ...unencrypted } = rich;
    for (let n = 0; n < 20; n++) seed(`1-small-${String(n).padStart(2, "0")}`, 1000 + n, unencrypted);
    seed("2-middle", 255 * MIB, unencrypted);
    seed("3-large", 300 * MIB, rich);
    seed("4-huge", 6 * GIB, { ...rich, partBytes: 64 * MIB });
    const keys = bench.store.listKeys("bucket-a");
    bench.addRows(keys);
    const before = new Map<string, Awaited<ReturnType<typeof look>>>();
    for (const key of keys) before.set(key, await look("bucket-a", key));
    bench.store.faults.copyBytesPerSecond = COPY_SPEED;
    const parts = countByKey("UploadPartCopy");
    const singles = countByKey("CopyObject");
    const memory = process.memoryUsage.rss();

    const job = await bench.move({ inventory: { from: "bucket" } });

    expect(job).toMatchObject({ state: "completed", objects: { moved: 23, exceptions: 0 } });
    bench.store.faults.clear();
    expect(Object.fromEntries(parts)).toEqual({ "avatar/3-large": 19, "avatar/4-huge": 96 });
    expect(singles.size).toBe(21);
    const moved = keys.map((key) => key.replace("image/", "avatar/"));
    const listed = await client.listObjectsV2({ Bucket: "bucket-b" });
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(moved);
    expect((await client.listObjectsV2({ Bucket: "bucket-a" })).KeyCount).toBe(0);
    const { Uploads = [] } = await client.listMultipartUploads({ Bucket: "bucket-b" });
    expect(Uploads).toEqual([]);
    for (const [at, key] of keys.entries())
      expect(await look("bucket-b", moved[at] ?? "")).toEqual(before.get(key));
    expect(bench.paths()).toEqual(moved);
    expect(process.memoryUsage.rss() - memory).toBeLessThan(200 * MIB);
  }, 60_000);

  it("survives parts that fail, answers that are lost and connections that are cut", async () => {
    seed("large", 6 * GIB, { tags: { a: "b" } });
    bench.addRows(["image/large"]);
    const before = await look("bucket-a", "image/large");
    const parts = { operation: "UploadPartCopy" } as const;
    bench.store.faults.add({ ...parts, nth: 3, effect: { type: "reset-after" } });
    bench.store.faults.add({ ...parts, nth: 150, effect: { type: "slow-down" } });
    bench.store.faults.add({
      operation: "CompleteMultipartUpload",
      times: 1,
      effect: { type: "reset-after" },
    });
    expect(await bench.move()).toMatchObject({ state: "completed", objects: { moved: 1, exceptions: 0 } });
    expect(await look("bucket-b", "avatar/large")).toEqual(before);
    expect(bench.store.listUploads("bucket-b")).toEqual([]);
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("copied again by a job that skips what is identical, is found to be, though its parts changed its ETag", async () => {
    const { etag } = seed("large", 300 * MIB);
    bench.store.putObject(
      "bucket-b",
      "avatar/large",
      { size: 300 * MIB, seed: (300 * MIB) % 1000 },
      { partBytes: 64 * MIB },
    );
    bench.addRows(["image/large"]);
    expect(bench.store.getObject("bucket-b", "avatar/large")?.etag).not.toBe(etag);
    const other = seed("other", 300 * MIB + 1);
    bench.store.putObject(
      "bucket-b",
      "avatar/other",
      { size: 300 * MIB + 1, seed: 7 },
      { partBytes: 64 * MIB },
    );
    const job = await bench.move({ onConflict: "skip-identical", references: [] });
    expect(job).toMatchObject({ state: "completed_with_exceptions", objects: { moved: 1, exceptions: 1 } });
    expect(await bench.exceptions(job.id)).toEqual({ "image/other": "target_exists" });
    expect(bench.store.getObject("bucket-a", "image/other")?.etag).toBe(other.etag);
  });
});

describe("a large object of less than 5 GiB", () => {
  const size = 300 * MIB;
  /** Seeds an object and copies it; gives the copy's ETag, the requests it took, and how long it took, milliseconds. */
  const copy = async (name: string, options: SeedOptions = {}, bytes = size) => {
    const { etag } = seed(name, bytes, options);
    const source = { bucket: "bucket-a", key: `image/${name}`, etag, size: bytes };
    const counts = noRequests();
    const store = bench.parts.connections.store("main", counts);
    const begun = performance.now();
    const target = { bucket: "bucket-b", key: name };
    const result = await store.copy({ source, target, storageClass: null, onlyIfAbsent: true });
    if (result.kind !== "copied") throw new Error(`the copy of ${name}: ${result.kind}`);
    return { etag: result.etag, counts, ms: performance.now() - begun };
  };

  it("goes in parts, several times faster than one request", async () => {
    bench.store.faults.copyBytesPerSecond = COPY_SPEED;
    const { ms } = await copy("one");
    expect(bench.store.requests.count("UploadPartCopy")).toBe(19);
    expect(ms).toBeLessThan(((size / COPY_SPEED) * 1000) / 2);
  });

  it("goes in parts from 256 MiB on, with the same requests each time, and below in one request", async () => {
    const none = noRequests();
    // CreateMultipartUpload, 16 parts, CompleteMultipartUpload; HEAD before and after the parts; unfinished uploads; tags.
    const inParts = { ...none, copy: 18, head: 2, list: 1, other: 1 };
    await copy("first", {}, MIB);
    for (const name of ["one", "two", "three"]) {
      expect((await copy(name, {}, 256 * MIB)).counts).toMatchObject(inParts);
    }
    expect((await copy("below", {}, 256 * MIB - 1)).counts).toEqual({ ...none, copy: 1 });
  });

  it("keeps its ETag in parts if it was uploaded in them, and then needs no checksum of the whole", async () => {
    const options = { partBytes: 16 * MIB, checksum: { algorithm: "sha256", composite: "abc=-19" } } as const;
    const { etag } = await copy("one", options);
    expect(etag).toBe(bench.store.getObject("bucket-a", "image/one")?.etag);
    expect(bench.store.requests.count("UploadPartCopy")).toBe(19);
  });

  it.each<[string, SeedOptions]>([
    ["whose copy in parts nothing could prove", { checksum: { algorithm: "sha256" } }],
    ["whose metadata a copy in parts could not keep", { metadata: { name: "\u00fcber" } }],
  ])("stays in one request %s", async (_, options) => {
    await copy("one", options);
    expect(bench.store.requests.count("CreateMultipartUpload")).toBe(0);
    expect(bench.store.getObject("bucket-b", "one")?.metadata).toEqual(options.metadata ?? {});
  });
});
