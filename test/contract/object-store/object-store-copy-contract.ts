/** The part of the object store contract that is about copies: what they keep, and what they refuse. */

import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { readObject } from "../../support/buckets.ts";
import { type Bench, copyOf, openStore, put } from "./object-store-under-test.ts";
import { MIB, uploadInParts } from "./object-store-uploads.ts";

/** Registers the tests on the store of `bench`. */
export function objectStoreCopyContract(bench: Bench): void {
  describe("copying", () => {
    it("keeps metadata, content headers, tags and storage class in a copy", async () => {
      const { under, raw, store, a, b } = bench;
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
      const request = copyOf(bench, "rich", source.etag, source.size, "rich");
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
      const { store, a, b } = bench;
      const etag = await put(bench, a, "pinned", "old");
      await put(bench, a, "pinned", "new");
      expect(await store.copy(copyOf(bench, "pinned", etag, 3, "pinned"))).toEqual({
        kind: "precondition_failed",
      });
      expect(await store.head({ bucket: b, key: "pinned" })).toBeNull();
    });

    it("says that a target key is too long", async () => {
      const { store, a } = bench;
      const etag = await put(bench, a, "short", "x");
      const code = expect.stringMatching(/^key_/);
      const failed = { kind: "failed", failure: { code, message: expect.any(String) } };
      expect(await store.copy(copyOf(bench, "short", etag, 1, "k".repeat(1025)))).toEqual(failed);
    });

    it("says that a source has vanished", async () => {
      const { store } = bench;
      expect(await store.copy(copyOf(bench, "vanished", "0".repeat(32), 3, "vanished"))).toEqual({
        kind: "source_gone",
      });
    });

    it("replaces an existing target only where it may, if the store can tell", async () => {
      const { under, store, a, b } = bench;
      const etag = await put(bench, a, "twice", "source");
      await put(bench, b, "twice", "precious");
      const request = copyOf(bench, "twice", etag, 6, "twice");
      const guarded = await store.copy(request);
      expect(guarded.kind).toBe(under.copiesOnlyIfAbsent ? "precondition_failed" : "copied");
      expect((await store.copy({ ...request, onlyIfAbsent: false })).kind).toBe("copied");
      expect(await store.head({ bucket: b, key: "twice" })).toMatchObject({ etag });
    });

    it("copies in parts with everything, the multipart ETag included, and tidies up", async () => {
      const { under, raw, a, b } = bench;
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
      const request = {
        ...copyOf(bench, "big", etag, 11 * MIB, "big copy"),
        storageClass: under.otherStorageClass,
      };
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
      const { under, store, a, b } = bench;
      const { store: parted } = openStore(under, { multipartCopyBytes: 2 });
      const etag = await put(bench, a, "shifting", "old bytes");
      await put(bench, a, "shifting", "new bytes");
      expect(await parted.copy(copyOf(bench, "shifting", etag, 9, "shifting"))).toEqual({
        kind: "precondition_failed",
      });
      expect(await parted.copy(copyOf(bench, "nowhere", etag, 9, "shifting"))).toEqual({
        kind: "source_gone",
      });
      expect(await store.head({ bucket: b, key: "shifting" })).toBeNull();
    });
  });
}
