/** Whether a store keeps to conditions is found out by what a job does anyhow; where it does not, looks are the guard. */

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, inject, it } from "vitest";
import type { WriteLimiter } from "../../../src/ports/object-store.ts";
import type { S3ObjectStore } from "../../../src/stores/s3/s3-object-store.ts";
import { unknownCapabilities } from "../../../src/stores/s3/store-capabilities.ts";
import { createBuckets } from "../../support/buckets.ts";
import {
  type Bench,
  copyOf,
  onCeph,
  openStore,
  put,
  type StoreUnderTest,
  setUpBench,
  startSandbox,
} from "./object-store-under-test.ts";

const STORES: readonly (readonly [string, () => Promise<StoreUnderTest>])[] = [
  ["a sandbox store that keeps to conditions", () => startSandbox()],
  ["a sandbox store that ignores them", () => startSandbox({ keepsConditions: false })],
  ["Ceph", () => onCeph(inject("s3"))],
];
const guard = (isKept: boolean) => (isKept ? "store" : "look");

describe.each(STORES)("on %s, of which nothing is known", (_, start) => {
  const bench: Bench = setUpBench(start);
  let store: S3ObjectStore;
  let counts: ReturnType<typeof openStore>["counts"];
  beforeAll(() => {
    ({ store, counts } = openStore(bench.under, { capabilities: unknownCapabilities() }));
  });

  const body = async (bucket: string, key: string) => {
    const chunks = [];
    for await (const chunk of store.read({ bucket, key })) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const copy = async (key: string, target: string, more: { replacing?: string } = {}) => {
    const facts = await store.head({ bucket: bench.a, key });
    const request = copyOf(bench, key, facts?.etag ?? "", facts?.size ?? 0, target);
    return store.copy(more.replacing === undefined ? request : { ...request, ...more, onlyIfAbsent: false });
  };

  it("two copies tell who guards copies, and change nothing but their own objects", async () => {
    await put(bench, bench.a, "first", "one");
    await put(bench, bench.a, "second", "two");
    expect(store.protection().copies).toBe("unknown");
    expect((await copy("first", "to/first")).kind).toBe("copied");
    const made = await bench.raw.send(new HeadObjectCommand({ Bucket: bench.b, Key: "to/first" }));
    expect((await copy("second", "to/second")).kind).toBe("copied");
    expect(store.protection().copies).toBe(guard(bench.under.copiesOnlyIfAbsent));
    const now = await bench.raw.send(new HeadObjectCommand({ Bucket: bench.b, Key: "to/first" }));
    expect(now.LastModified).toEqual(made.LastModified);
    expect(now.ETag).toEqual(made.ETag);
    expect(await body(bench.b, "to/second")).toBe("two");
    expect(counts.copy).toBe(2);
  });

  it("an object that stands at the target is not replaced, known or not", async () => {
    await put(bench, bench.b, "to/taken", "another's");
    await put(bench, bench.a, "third", "three");
    expect((await copy("third", "to/taken")).kind).toBe("precondition_failed");
    const { store: fresh } = openStore(bench.under, { capabilities: unknownCapabilities() });
    const facts = await fresh.head({ bucket: bench.a, key: "third" });
    const request = copyOf(bench, "third", facts?.etag ?? "", 5, "to/taken");
    expect((await fresh.copy(request)).kind).toBe("precondition_failed");
    expect(await body(bench.b, "to/taken")).toBe("another's");
  });

  it("one object may be replaced, and no other, and not if it is gone", async () => {
    await put(bench, bench.a, "fourth", "four");
    const etag = await put(bench, bench.b, "to/own", "own");
    expect((await copy("fourth", "to/own", { replacing: "0".repeat(32) })).kind).toBe("precondition_failed");
    expect(await body(bench.b, "to/own")).toBe("own");
    expect((await copy("fourth", "to/own", { replacing: etag })).kind).toBe("copied");
    expect(await body(bench.b, "to/own")).toBe("four");
    await bench.raw.send(new DeleteObjectCommand({ Bucket: bench.b, Key: "to/own" }));
    expect((await copy("fourth", "to/own", { replacing: etag })).kind).toBe("precondition_failed");
  });

  it("the first deletion tells who guards deletions, and deletes no more than it was to", async () => {
    const etags = new Map<string, string>();
    for (const key of ["d/1", "d/2", "d/3"]) etags.set(key, await put(bench, bench.a, key, key));
    await put(bench, bench.a, "d/other", "stays");
    expect(store.protection().deletions).toBe("unknown");
    const asked = [...etags].map(([key, etag]) => ({ key, etag }));
    const results = await store.deleteObjects(bench.a, asked);
    expect(results.map(({ failure }) => failure)).toEqual([null, null, null]);
    expect(store.protection().deletions).toBe(guard(bench.under.deletesOnlyIfMatching));
    const left = await store.list({ bucket: bench.a, prefix: "d/", startAfter: null, limit: 10 });
    expect(left.objects.map(({ key }) => key)).toEqual(["d/other"]);
  });

  describe("in a bucket that keeps versions", () => {
    let bucket: string;
    beforeAll(async () => {
      bucket = (await createBuckets(bench.raw, "versioned", "unused")).versioned;
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await bench.raw.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    });

    it("a newer version that came after the look stands in the end, and is told", async () => {
      const older = await put(bench, bucket, "v/1", "older");
      const plain = await put(bench, bucket, "v/2", "plain");
      await bench.raw.send(new PutObjectCommand({ Bucket: bucket, Key: "v/1", Body: "newer" }));
      const results = await store.deleteObjects(bucket, [
        { key: "v/1", etag: older },
        { key: "v/2", etag: plain },
      ]);
      expect(results.map(({ failure }) => failure?.code ?? null)).toEqual(["source_changed", null]);
      expect(await body(bucket, "v/1")).toBe("newer");
      expect(await store.head({ bucket, key: "v/2" })).toBeNull();
    });
  });
});

describe("on Ceph, which (16.2) completes a copy in parts without telling its ETag", () => {
  const bench: Bench = setUpBench(() => onCeph(inject("s3")));
  const PART = 5 * 2 ** 20;
  let isTold: boolean;

  it("an object of another writer with as many bytes and parts is not taken for the copy", async () => {
    const source = await putInParts("large", "a");
    const { store } = openStore(bench.under, { multipartCopyBytes: PART, parts: { partBytes: PART } });
    let looks = 0;
    const limiter: WriteLimiter = async (writes, attempt) => {
      // The third: for leftovers, at the source before completing, and at the target after it.
      if (writes === 0) looks += 1;
      if (writes === 0 && looks === 3) await putInParts("to/large", "b", bench.b);
      return attempt();
    };
    const copying = store.copy(copyOf(bench, "large", source, 2 * PART, "to/large"), undefined, limiter);
    // A store that tells it (20.2 does) leaves nothing to look for.
    if (isTold) expect(await copying).toEqual({ kind: "copied", etag: source });
    else await expect(copying).rejects.toMatchObject({ code: "store_unavailable" });
    expect(looks).toBe(isTold ? 2 : 3);
  });

  /** Two parts of one letter; gives the bare ETag. */
  async function putInParts(key: string, letter: string, bucket = bench.a): Promise<string> {
    const at = { Bucket: bucket, Key: key };
    const { UploadId } = await bench.raw.send(new CreateMultipartUploadCommand(at));
    const parts = [];
    for (const PartNumber of [1, 2]) {
      const part = { ...at, UploadId, PartNumber, Body: Buffer.alloc(PART, letter) };
      const { ETag } = await bench.raw.send(new UploadPartCommand(part));
      parts.push({ PartNumber, ETag });
    }
    const completed = { ...at, UploadId, MultipartUpload: { Parts: parts } };
    isTold = Boolean((await bench.raw.send(new CompleteMultipartUploadCommand(completed))).ETag);
    const { ETag = "" } = await bench.raw.send(new HeadObjectCommand(at));
    return ETag.replaceAll('"', "");
  }
});
