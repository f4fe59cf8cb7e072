/** What every object store must do for Tranship, as one suite that runs on each of them. */

import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasCode } from "../../src/domain/errors.ts";
import { compareKeys } from "../../src/domain/key-order.ts";
import { type ListedObject, noRequests, type ObjectStore } from "../../src/ports/object-store.ts";
import { openS3Client } from "../../src/stores/s3/s3-client.ts";
import { S3ObjectStore, type S3ObjectStoreOptions } from "../../src/stores/s3/s3-object-store.ts";
import { endpointIdentity, type StoreConfig } from "../../src/stores/s3/store-config.ts";
import { createBuckets, emptyBucket, fillBucket, readObject, s3ClientFor } from "../support/buckets.ts";
import { hostileKeys } from "../support/hostile-keys.ts";
import { MIB, uploadInParts } from "./object-store-uploads.ts";

/** Where the store under test is, and what it is known to be unable to do. */
export interface StoreUnderTest {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A storage class other than STANDARD; null where there is only that. */
  readonly otherStorageClass: StorageClass | null;
  /** Whether copies and completions honour `If-None-Match: *`. */
  readonly copiesOnlyIfAbsent: boolean;
  /** Whether deletions honour an ETag. */
  readonly deletesOnlyIfMatching: boolean;
  close(): Promise<void>;
}

/** An adapter with the counters it raises. */
export function openStore(
  under: StoreUnderTest,
  options: Partial<S3ObjectStoreOptions> = {},
  more: StoreConfig = {},
) {
  const { endpoint, accessKeyId, secretAccessKey } = under;
  const config = { endpoint, accessKeyId, secretAccessKey, forcePathStyle: true, ...more };
  const client = openS3Client(config);
  const counts = noRequests();
  const store = new S3ObjectStore({ client, endpoint: endpointIdentity(config), counts, ...options });
  return { store, counts, client };
}

/** The whole bucket, page by page. */
export async function listAll(store: ObjectStore, bucket: string, prefix = "", limit = 1000) {
  const objects: ListedObject[] = [];
  for (;;) {
    const startAfter: string | null = objects.at(-1)?.key ?? null;
    const page = await store.list({ bucket, prefix, startAfter, limit });
    objects.push(...page.objects);
    if (!page.more) return objects;
  }
}

const anyKey = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.constantFrom("/", "//", "+", "%2B", " ", "..", "\r\n"),
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((parts) => parts.join(""))
  // NUL ends a name in Ceph and is refused by others.
  .filter((key) => key !== "" && !key.includes("\0") && Buffer.byteLength(key) <= 200);

/** Registers the suite for one store. */
export function objectStoreContract(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`object store contract on ${name}`, () => {
    let under: StoreUnderTest;
    let raw: S3Client;
    let store: S3ObjectStore;
    let a: string;
    let b: string;

    beforeAll(async () => {
      under = await start();
      raw = s3ClientFor({ ...under, region: "us-east-1" });
      store = openStore(under).store;
      ({ a, b } = await createBuckets(raw, "a", "b").then(({ a: first, b: second }) => ({
        a: first,
        b: second,
      })));
    });

    afterAll(async () => {
      raw?.destroy();
      await under?.close();
    });

    const put = async (bucket: string, key: string, body: string) => {
      const { ETag = "" } = await raw.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
      return ETag.replaceAll('"', "");
    };

    const copyOf = (key: string, etag: string, size: number, target: string) => ({
      source: { bucket: a, key, etag, size },
      target: { bucket: b, key: target },
      storageClass: null,
      onlyIfAbsent: true,
    });

    /** Lists, copies, looks at and deletes objects under `keys`; every key must come through exactly. */
    async function roundTrip(keys: readonly string[]): Promise<void> {
      await emptyBucket(raw, a);
      await emptyBucket(raw, b);
      await fillBucket(
        raw,
        a,
        keys.map((key) => ({ key, body: key })),
      );
      const expected = [...keys].sort(compareKeys);
      const listed = await listAll(store, a, "", 7);
      expect(listed.map(({ key }) => key)).toEqual(expected);
      const copied = await Promise.all(
        listed.map(({ key, etag, size }) => store.copy(copyOf(key, etag, size, key))),
      );
      expect(copied).toEqual(listed.map(({ etag }) => ({ kind: "copied", etag })));
      expect((await listAll(store, b)).map(({ key }) => key)).toEqual(expected);
      for (const { key, etag } of listed) {
        expect(await store.head({ bucket: b, key })).toMatchObject({ etag });
      }
      const deleted = await store.deleteObjects(a, listed);
      expect(deleted).toEqual(expected.map((key) => ({ key, failure: null })));
      expect(await listAll(store, a)).toEqual([]);
    }

    it("carries hostile keys through listing, copy, look and deletion", () => roundTrip(hostileKeys));

    it("carries any key through listing, copy, look and deletion", () =>
      fc.assert(fc.asyncProperty(fc.uniqueArray(anyKey, { minLength: 1, maxLength: 12 }), roundTrip), {
        numRuns: 20,
        interruptAfterTimeLimit: 10_000,
        endOnFailure: true,
      }));

    it("lists in byte order, page by page, from any position", async () => {
      const keys = Array.from({ length: 1040 }, (_, at) => `many/${String(at).padStart(4, "0")}`);
      await fillBucket(
        raw,
        a,
        [...keys, "many/\ue000", "many/😀"].map((key) => ({ key })),
      );
      const page = await store.list({ bucket: a, prefix: "many/", startAfter: null, limit: 1000 });
      expect(page.objects).toHaveLength(1000);
      expect(page.more).toBe(true);
      const all = await listAll(store, a, "many/");
      expect(all.map(({ key }) => key)).toEqual([...keys, "many/\ue000", "many/😀"]);
      const between = await store.list({ bucket: a, prefix: "many/", startAfter: "many/1037~", limit: 2 });
      expect(between).toMatchObject({ more: true, objects: [{ key: "many/1038" }, { key: "many/1039" }] });
      const past = await store.list({ bucket: a, prefix: "many/", startAfter: "many/😀", limit: 1000 });
      expect(past).toEqual({ objects: [], more: false });
    });

    it("keeps metadata, content headers, tags and storage class in a copy", async () => {
      const storageClass = under.otherStorageClass;
      await raw.send(
        new PutObjectCommand({
          Bucket: a,
          Key: "rich",
          Body: "rich",
          ContentType: "image/png",
          CacheControl: "max-age=60",
          ContentDisposition: 'attachment; filename="x y.png"',
          Metadata: { owner: "someone else" },
          Tagging: "team=a%20b&%2B=%26",
          ...(storageClass === null ? {} : { StorageClass: storageClass }),
        }),
      );
      const source = await store.head({ bucket: a, key: "rich" });
      expect(source).toMatchObject({
        storageClass,
        contentType: "image/png",
        metadata: { owner: "someone else" },
      });
      if (source === null) return;
      const request = copyOf("rich", source.etag, source.size, "rich");
      expect(await store.copy({ ...request, storageClass })).toEqual({ kind: "copied", etag: source.etag });
      const [before, after] = await Promise.all([readObject(raw, a, "rich"), readObject(raw, b, "rich")]);
      const kept = [
        "ContentType",
        "CacheControl",
        "ContentDisposition",
        "Metadata",
        "StorageClass",
        "ETag",
      ] as const;
      for (const field of kept) expect(after?.head[field]).toEqual(before?.head[field]);
      expect(after?.tags).toEqual({ team: "a b", "+": "&" });
    });

    it("does not copy a source that is no longer the version asked for", async () => {
      const etag = await put(a, "pinned", "old");
      await put(a, "pinned", "new");
      expect(await store.copy(copyOf("pinned", etag, 3, "pinned"))).toEqual({ kind: "precondition_failed" });
      expect(await store.head({ bucket: b, key: "pinned" })).toBeNull();
    });

    it("says that a target key is too long", async () => {
      const etag = await put(a, "short", "x");
      const code = expect.stringMatching(/^key_/);
      const failed = { kind: "failed", failure: { code, message: expect.any(String) } };
      expect(await store.copy(copyOf("short", etag, 1, "k".repeat(1025)))).toEqual(failed);
    });

    it("says that a source has vanished", async () => {
      expect(await store.copy(copyOf("vanished", "0".repeat(32), 3, "vanished"))).toEqual({
        kind: "source_gone",
      });
    });

    it("replaces an existing target only where it may, if the store can tell", async () => {
      const etag = await put(a, "twice", "source");
      await put(b, "twice", "precious");
      const request = copyOf("twice", etag, 6, "twice");
      const guarded = await store.copy(request);
      expect(guarded.kind).toBe(under.copiesOnlyIfAbsent ? "precondition_failed" : "copied");
      expect((await store.copy({ ...request, onlyIfAbsent: false })).kind).toBe("copied");
      expect(await store.head({ bucket: b, key: "twice" })).toMatchObject({ etag });
    });

    it("copies in parts with everything, the multipart ETag included, and tidies up", async () => {
      const parted = openStore(under, { multipartCopyBytes: MIB, parts: { partBytes: 7 * MIB } });
      const etag = await uploadInParts(raw, a, "big", {
        ContentType: "video/mp4",
        CacheControl: "no-store",
        Metadata: { camera: "left" },
        Expires: new Date("2030-01-01T00:00:00Z"),
        ...(under.otherStorageClass === null ? {} : { StorageClass: under.otherStorageClass }),
      });
      expect(etag).toMatch(/-3$/);
      const tagging = { TagSet: [{ Key: "team +", Value: "a/b" }] };
      await raw.send(new PutObjectTaggingCommand({ Bucket: a, Key: "big", Tagging: tagging }));
      for (const key of ["big copy", "big copy, another"]) {
        await raw.send(new CreateMultipartUploadCommand({ Bucket: b, Key: key }));
      }
      const request = { ...copyOf("big", etag, 11 * MIB, "big copy"), storageClass: under.otherStorageClass };
      expect(await parted.store.copy(request)).toEqual({ kind: "copied", etag });
      const [before, after] = await Promise.all([readObject(raw, a, "big"), readObject(raw, b, "big copy")]);
      const kept = [
        "ContentLength",
        "ContentType",
        "CacheControl",
        "ExpiresString",
        "Metadata",
        "StorageClass",
      ] as const;
      for (const field of kept) expect(after?.head[field]).toEqual(before?.head[field]);
      expect(after?.head.ContentType).toBe("video/mp4");
      expect(after?.tags).toEqual({ "team +": "a/b" });
      const { Uploads: uploads = [] } = await raw.send(new ListMultipartUploadsCommand({ Bucket: b }));
      expect(uploads.map(({ Key }) => Key)).toEqual(["big copy, another"]);
      expect(parted.counts).toMatchObject({ copy: 5, list: 1, throttled: 0 });
    });

    it("does not copy in parts what has changed or vanished", async () => {
      const { store: parted } = openStore(under, { multipartCopyBytes: 2 });
      const etag = await put(a, "shifting", "old bytes");
      await put(a, "shifting", "new bytes");
      expect(await parted.copy(copyOf("shifting", etag, 9, "shifting"))).toEqual({
        kind: "precondition_failed",
      });
      expect(await parted.copy(copyOf("nowhere", etag, 9, "shifting"))).toEqual({ kind: "source_gone" });
      expect(await store.head({ bucket: b, key: "shifting" })).toBeNull();
    });

    it("deletes only the version that was copied, if the store can tell", async () => {
      const keys = ["replaced", "replaced\x01"];
      const old = await Promise.all(keys.map(async (key) => ({ key, etag: await put(a, key, "old") })));
      await Promise.all(keys.map((key) => put(a, key, "new")));
      const results = await store.deleteObjects(a, old);
      const code = under.deletesOnlyIfMatching ? "source_changed" : undefined;
      expect(results.map(({ failure }) => failure?.code)).toEqual([code, code]);
      const left = await Promise.all(keys.map((key) => store.head({ bucket: a, key })));
      expect(left.map((facts) => facts !== null)).toEqual(keys.map(() => under.deletesOnlyIfMatching));
    });

    it("counts missing keys as deleted", async () => {
      const etag = await put(a, "there", "x");
      const objects = ["missing", "there", "missing\r"].map((key) => ({ key, etag }));
      expect(await store.deleteObjects(a, objects)).toEqual(
        objects.map(({ key }) => ({ key, failure: null })),
      );
      expect(await store.deleteObjects(a, objects)).toEqual(
        objects.map(({ key }) => ({ key, failure: null })),
      );
      expect(await store.deleteObjects(a, [])).toEqual([]);
    });

    it("says that a bucket does not exist, whatever is asked of it", async () => {
      const bucket = "there-is-no-such-bucket";
      const missing = expect.objectContaining({ code: "bucket_missing" });
      await expect(store.list({ bucket, prefix: "", startAfter: null, limit: 10 })).rejects.toEqual(missing);
      await expect(store.deleteObjects(bucket, [{ key: "k", etag: "e" }])).rejects.toEqual(missing);
      const etag = await put(a, "lonely", "x");
      const request = copyOf("lonely", etag, 1, "lonely");
      await expect(store.copy({ ...request, target: { bucket, key: "k" } })).rejects.toEqual(missing);
      expect(await store.bucketFacts(bucket)).toEqual({ exists: false, versioning: "off" });
      expect(await store.bucketFacts(a)).toEqual({ exists: true, versioning: "off" });
    });

    it("says that credentials are wrong, and does not repeat them", async () => {
      for (const wrong of [{ secretAccessKey: "not-the-secret" }, { accessKeyId: "nobody" }]) {
        const { store: stranger } = openStore(under, {}, wrong);
        const calls: readonly (() => Promise<unknown>)[] = [
          () => stranger.list({ bucket: a, prefix: "", startAfter: null, limit: 1 }),
          () => stranger.copy(copyOf("x", "y", 1, "x")),
          () => stranger.deleteObjects(a, [{ key: "x", etag: "y" }]),
          () => stranger.ping(),
        ];
        for (const call of calls) {
          const error = await call().then(String, (reason: unknown) => reason);
          expect(hasCode(error, "store_denied")).toBe(true);
          expect(JSON.stringify(error) + String(error)).not.toMatch(/not-the-secret|AWS4-HMAC|StringToSign/i);
        }
      }
    });

    it("writes, reads and pings", async () => {
      await store.write({ bucket: b, key: "canary +" }, Buffer.from("tweet"));
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.read({ bucket: b, key: "canary +" })) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe("tweet");
      await expect(
        store.read({ bucket: b, key: "no canary" })[Symbol.asyncIterator]().next(),
      ).rejects.toMatchObject({
        code: "store_refused",
      });
      await store.ping();
    });

    it("begins nothing once stopped", async () => {
      const { store: fresh, counts } = openStore(under);
      const stopped = AbortSignal.abort();
      const error = expect.objectContaining({ code: "stopped" });
      await expect(
        fresh.list({ bucket: a, prefix: "", startAfter: null, limit: 1 }, stopped),
      ).rejects.toEqual(error);
      await expect(fresh.copy(copyOf("x", "y", 1, "x"), stopped)).rejects.toEqual(error);
      await expect(fresh.deleteObjects(a, [{ key: "x", etag: "y" }], stopped)).rejects.toEqual(error);
      expect(counts).toEqual(noRequests());
    });

    it("counts each request under its heading", async () => {
      const { store: fresh, counts } = openStore(under);
      const etag = await put(a, "counted", "x");
      await fresh.list({ bucket: a, prefix: "", startAfter: null, limit: 1 });
      await fresh.copy(copyOf("counted", etag, 1, "counted"));
      await fresh.head({ bucket: b, key: "counted" });
      await fresh.deleteObjects(b, [{ key: "counted", etag }]);
      await fresh.ping();
      expect(counts).toEqual({ list: 1, copy: 1, head: 1, delete: 1, other: 1, throttled: 0 });
    });
  });
}
