/** What every object store must do for Tranship, as one suite that runs on each of them. */

import { PutObjectCommand } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCode } from "../../../src/domain/errors.ts";
import { compareKeys } from "../../../src/domain/keys/key-order.ts";
import { noRequests } from "../../../src/ports/object-store.ts";
import { emptyBucket, fillBucket } from "../../support/buckets.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { objectStoreCopyContract } from "./object-store-copy-contract.ts";
import {
  copyOf,
  listAll,
  openStore,
  put,
  type StoreUnderTest,
  setUpBench,
} from "./object-store-under-test.ts";

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
    const bench = setUpBench(start);

    /** Lists, copies, looks at and deletes objects under `keys`; every key must come through exactly. */
    async function roundTrip(keys: readonly string[]): Promise<void> {
      const { raw, store, a, b } = bench;
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
        listed.map(({ key, etag, size }) => store.copy(copyOf(bench, key, etag, size, key))),
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
      const { raw, store, a } = bench;
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

    it("deletes only the version that was copied, if the store can tell", async () => {
      const { under, store, a } = bench;
      const keys = ["replaced", "replaced\x01"];
      const old = await Promise.all(
        keys.map(async (key) => ({ key, etag: await put(bench, a, key, "old") })),
      );
      await Promise.all(keys.map((key) => put(bench, a, key, "new")));
      const results = await store.deleteObjects(a, old);
      const code = under.deletesOnlyIfMatching ? "source_changed" : undefined;
      expect(results.map(({ failure }) => failure?.code)).toEqual([code, code]);
      const left = await Promise.all(keys.map((key) => store.head({ bucket: a, key })));
      expect(left.map((facts) => facts !== null)).toEqual(keys.map(() => under.deletesOnlyIfMatching));
    });

    it("counts missing keys as deleted", async () => {
      const { store, a } = bench;
      const etag = await put(bench, a, "there", "x");
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
      const { store, a } = bench;
      const bucket = "there-is-no-such-bucket";
      const missing = expect.objectContaining({ code: "bucket_missing" });
      await expect(store.list({ bucket, prefix: "", startAfter: null, limit: 10 })).rejects.toEqual(missing);
      await expect(store.deleteObjects(bucket, [{ key: "k", etag: "e" }])).rejects.toEqual(missing);
      const etag = await put(bench, a, "lonely", "x");
      const request = copyOf(bench, "lonely", etag, 1, "lonely");
      await expect(store.copy({ ...request, target: { bucket, key: "k" } })).rejects.toEqual(missing);
      expect(await store.bucketFacts(bucket)).toMatchObject({
        exists: false,
        versioning: "off",
        isAlias: false,
      });
      expect(await store.bucketFacts(a)).toMatchObject({ exists: true, versioning: "off", isAlias: false });
    });

    it("tells whether an object's ACL grants anything to others, and that its copy's does not", async () => {
      const { raw, store, a, b } = bench;
      for (const [key, ACL] of [
        ["mine", undefined],
        ["ours", "bucket-owner-full-control"],
        ["everyone", "public-read"],
        ["any account", "authenticated-read"],
      ] as const) {
        await raw.send(new PutObjectCommand({ Bucket: a, Key: key, Body: "x", ...(ACL && { ACL }) }));
      }
      const acls = await Promise.all(
        ["mine", "ours", "everyone", "any account", "none"].map((key) => store.acl({ bucket: a, key })),
      );
      expect(acls).toEqual(["private", "private", "shared", "shared", "not_told"]);
      const [source] = (await listAll(store, a, "everyone")).map((object) => ({ bucket: a, ...object }));
      const target = { bucket: b, key: "everyone" };
      const request = { source: source!, target, storageClass: null, onlyIfAbsent: false };
      expect(await store.copy(request)).toMatchObject({ kind: "copied" });
      expect(await store.acl(target)).toBe("private");
    });

    it("says that credentials are wrong, and does not repeat them", async () => {
      const { under, a } = bench;
      for (const wrong of [{ secretAccessKey: "not-the-secret" }, { accessKeyId: "nobody" }]) {
        const { store: refused } = openStore(under, {}, wrong);
        const calls: readonly (() => Promise<unknown>)[] = [
          () => refused.list({ bucket: a, prefix: "", startAfter: null, limit: 1 }),
          () => refused.copy(copyOf(bench, "x", "y", 1, "x")),
          () => refused.deleteObjects(a, [{ key: "x", etag: "y" }]),
          () => refused.ping(),
        ];
        for (const call of calls) {
          const error = await call().then(String, (reason: unknown) => reason);
          expect(hasCode(error, "store_credentials")).toBe(true);
          expect(JSON.stringify(error) + String(error)).not.toMatch(/not-the-secret|AWS4-HMAC|StringToSign/i);
        }
      }
    });

    it("writes, reads and pings", async () => {
      const { store, b } = bench;
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
      const { under, a } = bench;
      const { store: fresh, counts } = openStore(under);
      const stopped = AbortSignal.abort();
      const error = expect.objectContaining({ code: "stopped" });
      await expect(
        fresh.list({ bucket: a, prefix: "", startAfter: null, limit: 1 }, stopped),
      ).rejects.toEqual(error);
      await expect(fresh.copy(copyOf(bench, "x", "y", 1, "x"), stopped)).rejects.toEqual(error);
      await expect(fresh.deleteObjects(a, [{ key: "x", etag: "y" }], stopped)).rejects.toEqual(error);
      expect(counts).toEqual(noRequests());
    });

    it("counts each request under its heading", async () => {
      const { under, a, b } = bench;
      const { store: fresh, counts } = openStore(under);
      const etag = await put(bench, a, "counted", "x");
      await fresh.list({ bucket: a, prefix: "", startAfter: null, limit: 1 });
      await fresh.copy(copyOf(bench, "counted", etag, 1, "counted"));
      await fresh.head({ bucket: b, key: "counted" });
      await fresh.deleteObjects(b, [{ key: "counted", etag }]);
      await fresh.ping();
      expect(counts).toEqual({ list: 1, copy: 1, head: 1, delete: 1, other: 1, throttled: 0 });
    });

    objectStoreCopyContract(bench);
  });
}
