/** Objects of the sandbox store, through the AWS SDK. */

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";

const Bucket = "bucket-a";

sandboxForAll({ buckets: [{ name: Bucket }] });

describe("keys", () => {
  test("are kept exactly, however hostile", async () => {
    for (const Key of hostileKeys) await client.putObject({ Bucket, Key, Body: Key });
    expect(new Set(store.listKeys(Bucket))).toEqual(new Set(hostileKeys));
    for (const Key of hostileKeys)
      expect(await (await client.getObject({ Bucket, Key })).Body?.transformToString()).toBe(Key);
  });

  test("longer than 1,024 bytes are refused", async () => {
    const put = client.putObject({ Bucket, Key: "é".repeat(513), Body: "x" });
    await expect(put).rejects.toMatchObject({ name: "KeyTooLongError" });
  });
});

describe("an object", () => {
  test("keeps its bytes, headers, metadata, tags and checksum", async () => {
    await client.putObject({
      Bucket,
      Key: "full",
      Body: "hello",
      ContentType: "image/png",
      CacheControl: "max-age=60",
      ContentDisposition: "inline",
      ContentEncoding: "identity",
      ContentLanguage: "en",
      Expires: new Date("2030-01-01T00:00:00Z"),
      Metadata: { Owner: "me  twice", empty: "" },
      Tagging: "a=1&b=x%20y",
      StorageClass: "STANDARD_IA",
      ServerSideEncryption: "AES256",
      WebsiteRedirectLocation: "/there",
      ChecksumAlgorithm: "SHA256",
    });
    const got = await client.getObject({ Bucket, Key: "full", ChecksumMode: "ENABLED" });
    expect(await got.Body?.transformToString()).toBe("hello");
    expect(got).toMatchObject({
      ContentType: "image/png",
      CacheControl: "max-age=60",
      ContentDisposition: "inline",
      ContentEncoding: "identity",
      ContentLanguage: "en",
      ExpiresString: "Tue, 01 Jan 2030 00:00:00 GMT",
      Metadata: { owner: "me  twice", empty: "" },
      StorageClass: "STANDARD_IA",
      WebsiteRedirectLocation: "/there",
      TagCount: 2,
      ContentLength: 5,
      ETag: `"${createHash("md5").update("hello").digest("hex")}"`,
      ChecksumSHA256: createHash("sha256").update("hello").digest("base64"),
    });
    const tags = await client.getObjectTagging({ Bucket, Key: "full" });
    expect(tags.TagSet).toEqual([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "x y" },
    ]);
  });

  test("is described by HEAD, checksum included", async () => {
    store.putObject(Bucket, "plain", "123456789");
    const head = await client.headObject({ Bucket, Key: "plain", ChecksumMode: "ENABLED" });
    expect(head).toMatchObject({
      ContentLength: 9,
      ChecksumCRC64NVME: "rosUhgp5mIg=",
      ChecksumType: "FULL_OBJECT",
    });
    expect(head.StorageClass).toBeUndefined();
  });

  test("is refused when its MD5 or checksum is wrong", async () => {
    const md5 = client.putObject({ Bucket, Key: "bad", Body: "x", ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" });
    await expect(md5).rejects.toMatchObject({ name: "BadDigest" });
    const crc = client.putObject({ Bucket, Key: "bad", Body: "x", ChecksumCRC32: "AAAAAA==" });
    await expect(crc).rejects.toMatchObject({ name: "BadDigest" });
    expect(store.getObject(Bucket, "bad")).toBeUndefined();
  });

  test("is written only if the condition holds", async () => {
    const put = (conditions: object) =>
      client.putObject({ Bucket, Key: "conditional", Body: "x", ...conditions });
    await expect(put({ IfMatch: '"abc"' })).rejects.toMatchObject({ name: "NoSuchKey" });
    const first = await put({ IfNoneMatch: "*" });
    await expect(put({ IfNoneMatch: "*" })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await expect(put({ IfMatch: '"abc"' })).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    await put({ IfMatch: first.ETag });
  });

  test("is read in ranges and under conditions", async () => {
    store.putObject(Bucket, "ranged", "0123456789");
    const get = async (extra: object) => {
      const got = await client.getObject({ Bucket, Key: "ranged", ...extra });
      return [await got.Body?.transformToString(), got.ContentRange];
    };
    expect(await get({ Range: "bytes=2-4" })).toEqual(["234", "bytes 2-4/10"]);
    expect(await get({ Range: "bytes=-3" })).toEqual(["789", "bytes 7-9/10"]);
    expect(await get({ Range: "bytes=8-" })).toEqual(["89", "bytes 8-9/10"]);
    await expect(get({ Range: "bytes=10-" })).rejects.toMatchObject({ name: "InvalidRange" });
    await expect(get({ IfMatch: '"x"' })).rejects.toMatchObject({ name: "PreconditionFailed" });
    expect(await get({ IfMatch: `"${store.getObject(Bucket, "ranged")?.etag}"`, Range: "bytes=-1" })).toEqual(
      ["9", "bytes 9-9/10"],
    );
    await expect(get({ IfModifiedSince: new Date() })).rejects.toMatchObject({ name: "NotImplemented" });
  });

  test("of six gigabytes takes no memory, and any range of it can be read", async () => {
    store.putObject(Bucket, "huge", { size: 6 * 2 ** 30, seed: 9 });
    const head = await client.headObject({ Bucket, Key: "huge" });
    expect(head.ContentLength).toBe(6 * 2 ** 30);
    const Range = `bytes=${5 * 2 ** 30}-${5 * 2 ** 30 + 3_000_000}`;
    const got = await client.getObject({ Bucket, Key: "huge", Range });
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(store.getObject(Bucket, "huge")!.read(5 * 2 ** 30, 5 * 2 ** 30 + 3_000_001))).toBe(
      true,
    );
  });

  test("shows its archive and restore state, and cannot be read from the archive", async () => {
    store.putObject(Bucket, "cold", "x", { storageClass: "GLACIER" });
    const expiry = new Date("2030-01-01T00:00:00Z");
    store.putObject(Bucket, "warm", "x", { storageClass: "GLACIER", restore: { ongoing: false, expiry } });
    const get = (Key: string) => client.getObject({ Bucket, Key });
    await expect(get("cold")).rejects.toMatchObject({ name: "InvalidObjectState", StorageClass: "GLACIER" });
    await get("warm");
    const head = await client.headObject({ Bucket, Key: "warm" });
    expect(head).toMatchObject({
      StorageClass: "GLACIER",
      Restore: 'ongoing-request="false", expiry-date="Tue, 01 Jan 2030 00:00:00 GMT"',
    });
  });

  test("tells metadata that no header can hold in RFC 2047's form", async () => {
    store.putObject(Bucket, "named", "x", { metadata: { name: "😀" } });
    const head = await client.headObject({ Bucket, Key: "named" });
    expect(head.Metadata).toEqual({ name: "=?UTF-8?B?8J+YgA==?=" });
  });

  test("changes its tags in place", async () => {
    store.putObject(Bucket, "tagged", "x", { tags: { a: "1" } });
    await client.putObjectTagging({
      Bucket,
      Key: "tagged",
      Tagging: { TagSet: [{ Key: "<b>", Value: "&2" }] },
    });
    expect(store.getObject(Bucket, "tagged")?.tags).toEqual({ "<b>": "&2" });
  });

  test("that is missing answers NoSuchKey, and HEAD a bare 404", async () => {
    const key = { Bucket, Key: "missing" };
    await expect(client.getObject(key)).rejects.toMatchObject({ name: "NoSuchKey" });
    await expect(client.headObject(key)).rejects.toMatchObject({ name: "NotFound" });
    const elsewhere = client.getObject({ Bucket: "nowhere", Key: "k" });
    await expect(elsewhere).rejects.toMatchObject({ name: "NoSuchBucket" });
  });
});
