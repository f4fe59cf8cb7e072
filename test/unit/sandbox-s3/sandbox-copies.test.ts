/** CopyObject of the sandbox store, through the AWS SDK. */

import { CopyObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { parseCopySource } from "../../../src/sandbox-s3/objects/copy-source.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";

const now = new Date("2026-11-01T12:00:00Z");
sandboxForAll(
  { now: () => now, buckets: [{ name: "from" }, { name: "to" }, { name: "versioned", versioned: true }] },
  { systemClockOffset: now.getTime() - Date.now() },
);

const sourceOf = (key: string) => `from/${key.split("/").map(encodeURIComponent).join("/")}`;
const copy = (from: string, to: string, extra: object = {}) =>
  client.copyObject({ Bucket: "to", Key: to, CopySource: sourceOf(from), ...extra });

describe("the copy source", () => {
  test("is percent-decoded, with + for a space, and its version split off first", () => {
    expect(parseCopySource("b/a%2Bb+c%3Fd?versionId=v1")).toEqual({
      bucket: "b",
      key: "a+b c?d",
      versionId: "v1",
    });
    expect(parseCopySource("/b//x%2F%2Fy/")).toEqual({ bucket: "b", key: "/x//y/", versionId: undefined });
    expect(() => parseCopySource("b/%zz")).toThrow("InvalidArgument");
    expect(() => parseCopySource("b")).toThrow("InvalidArgument");
  });

  test("is found for every hostile key when it is encoded rightly", async () => {
    for (const key of [...hostileKeys, "q?r#s", "(!)'*"]) {
      store.putObject("from", key, key);
      await copy(key, key);
      expect(store.getObject("to", key)?.read().toString()).toBe(key);
    }
  });

  test("is missed when a plus sign is sent as it is", async () => {
    store.putObject("from", "plus+sign", "x");
    const command = new CopyObjectCommand({ Bucket: "to", Key: "k", CopySource: "from/plus+sign" });
    await expect(client.send(command)).rejects.toMatchObject({ name: "NoSuchKey" });
  });
});

describe("a copy", () => {
  test("keeps headers, metadata and tags, but neither storage class nor redirect", async () => {
    store.putObject("from", "rich", "bytes", {
      contentType: "image/png",
      cacheControl: "no-store",
      metadata: { a: "1" },
      tags: { t: "2" },
      storageClass: "STANDARD_IA",
      websiteRedirectLocation: "/r",
    });
    const answer = await copy("rich", "rich");
    const view = store.getObject("to", "rich");
    expect(view).toMatchObject({
      contentType: "image/png",
      metadata: { a: "1" },
      tags: { t: "2" },
      storageClass: "STANDARD",
    });
    expect(view?.attributes.cacheControl).toBe("no-store");
    expect(view?.websiteRedirectLocation).toBeUndefined();
    expect(answer.CopyObjectResult).toMatchObject({ ETag: `"${view?.etag}"`, LastModified: now });
    expect(answer.CopyObjectResult?.ChecksumCRC64NVME).toBeDefined();
  });

  test("replaces what its directives say", async () => {
    await copy("rich", "replaced", {
      MetadataDirective: "REPLACE",
      ContentType: "text/plain",
      Metadata: { b: "2" },
      TaggingDirective: "REPLACE",
      Tagging: "u=3",
      StorageClass: "ONEZONE_IA",
    });
    expect(store.getObject("to", "replaced")).toMatchObject({
      contentType: "text/plain",
      metadata: { b: "2" },
      tags: { u: "3" },
      storageClass: "ONEZONE_IA",
    });
    expect(store.getObject("to", "replaced")?.attributes.cacheControl).toBeUndefined();
  });

  test("of a multipart object has a plain ETag", async () => {
    store.putObject("from", "parts", Buffer.alloc(3000, "p"), { partBytes: 1000 });
    expect(store.getObject("from", "parts")?.etag).toMatch(/^[0-9a-f]{32}-3$/);
    const head = await client.headObject({ Bucket: "from", Key: "parts", PartNumber: 2 });
    expect(head).toMatchObject({ PartsCount: 3, ContentLength: 1000 });
    await copy("parts", "parts");
    expect(store.getObject("to", "parts")?.etag).toMatch(/^[0-9a-f]{32}$/);
  });

  test("happens only if its conditions hold", async () => {
    const { etag } = store.putObject("from", "cond", "1");
    const failed = { name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } };
    await expect(copy("cond", "c", { CopySourceIfMatch: '"no"' })).rejects.toMatchObject(failed);
    const unsupported = { name: "NotImplemented" };
    await expect(copy("cond", "c", { CopySourceIfNoneMatch: `"${etag}"` })).rejects.toMatchObject(
      unsupported,
    );
    await expect(copy("cond", "c", { CopySourceIfModifiedSince: now })).rejects.toMatchObject(unsupported);
    await expect(copy("cond", "c", { IfMatch: '"any"' })).rejects.toMatchObject({ name: "NoSuchKey" });
    expect(store.getObject("to", "c")).toBeUndefined();
    await copy("cond", "c", { CopySourceIfMatch: etag, IfNoneMatch: "*" });
    await expect(copy("cond", "c", { IfNoneMatch: "*" })).rejects.toMatchObject(failed);
    await expect(copy("cond", "c", { IfMatch: '"other"' })).rejects.toMatchObject(failed);
    await copy("cond", "c", { IfMatch: etag });
  });

  test("onto itself must change something", async () => {
    store.putObject("to", "self", "x");
    const self = (extra: object) =>
      client.copyObject({ Bucket: "to", Key: "self", CopySource: "to/self", ...extra });
    await expect(self({})).rejects.toMatchObject({ name: "InvalidRequest" });
    await self({ MetadataDirective: "REPLACE" });
    await self({ StorageClass: "STANDARD_IA" });
  });

  test("is refused for archived, missing and oversized sources", async () => {
    store.putObject("from", "glacier", "x", { storageClass: "DEEP_ARCHIVE" });
    store.putObject("from", "tiered", "x", {
      storageClass: "INTELLIGENT_TIERING",
      archiveStatus: "ARCHIVE_ACCESS",
    });
    store.putObject("from", "restored", "x", { storageClass: "GLACIER", restore: { ongoing: false } });
    store.putObject("from", "six", { size: 6 * 2 ** 30 });
    store.putObject("from", "five", { size: 5 * 2 ** 30 });
    await expect(copy("glacier", "x")).rejects.toMatchObject({ name: "ObjectNotInActiveTierError" });
    await expect(copy("tiered", "x")).rejects.toMatchObject({ name: "InvalidObjectState" });
    await expect(copy("missing", "x")).rejects.toMatchObject({ name: "NoSuchKey" });
    await expect(copy("six", "x")).rejects.toMatchObject({ name: "InvalidRequest" });
    await copy("restored", "x");
    await copy("five", "five");
    expect(store.getObject("to", "five")?.etag).toBe(store.getObject("from", "five")?.etag);
  });

  test("reads the version asked for", async () => {
    const { versionId } = store.putObject("versioned", "k", "old");
    store.putObject("versioned", "k", "new");
    const CopySource = `versioned/k?versionId=${versionId}`;
    const answer = await client.copyObject({ Bucket: "to", Key: "v", CopySource });
    expect(answer.CopySourceVersionId).toBe(versionId);
    expect(store.getObject("to", "v")?.read().toString()).toBe("old");
    store.deleteObject("versioned", "k");
    const deleted = new CopyObjectCommand({ Bucket: "to", Key: "v", CopySource: "versioned/k" });
    await expect(client.send(deleted)).rejects.toMatchObject({ name: "NoSuchKey" });
  });
});
