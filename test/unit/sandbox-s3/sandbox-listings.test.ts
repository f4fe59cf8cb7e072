/** Listings and buckets of the sandbox store, through the AWS SDK. */

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";

sandboxForAll({ buckets: [{ name: "listing" }] });

describe("a listing", () => {
  test("gives hostile keys back exactly when encoded, in byte order", async () => {
    const name = fc
      .array(fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff })), {
        minLength: 1,
        maxLength: 12,
      })
      .map((codes) => String.fromCodePoint(...codes));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), async (names) => {
        const bucket = "property";
        store.createBucket(bucket);
        for (const key of store.listKeys(bucket)) store.deleteObject(bucket, key);
        for (const key of [...names, "\ue000", "😀"]) store.putObject(bucket, key, "x");
        const page = await client.listObjectsV2({ Bucket: bucket, EncodingType: "url" });
        const listed = page.Contents?.map((item) =>
          decodeURIComponent((item.Key ?? "").replaceAll("+", " ")),
        );
        const sorted = [...new Set([...names, "\ue000", "😀"])].sort((a, b) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
        expect(listed).toEqual(sorted);
      }),
      { numRuns: 25 },
    );
  });

  beforeAll(() => {
    for (let n = 0; n < 2500; n++) store.putObject("listing", `image/${String(n).padStart(4, "0")}`, "x");
    for (const key of ["a/1", "a/2", "b", "c/d/e", "image", "image-x"]) store.putObject("listing", key, "x");
  });

  test("that is not encoded still tells control characters, to readers that take the references S3 writes", async () => {
    store.createBucket("raw");
    store.putObject("raw", "a\u0001<&>", "x");
    const page = await client.listObjectsV2({ Bucket: "raw" });
    expect(page.Contents?.[0]?.Key).toBe("a\u0001<&>");
  });

  test("goes on page by page to the end", async () => {
    const keys: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const input = { Bucket: "listing", Prefix: "image/", ContinuationToken };
      const page = await client.listObjectsV2(input);
      keys.push(...(page.Contents ?? []).map((item) => item.Key ?? ""));
      expect(page.KeyCount).toBe(page.Contents?.length);
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
    expect(keys).toEqual(store.listKeys("listing", "image/"));
    expect(keys.length).toBe(2500);
  });

  test("starts after any string", async () => {
    const page = await client.listObjectsV2({
      Bucket: "listing",
      Prefix: "image/",
      StartAfter: "image/2497x",
    });
    expect(page.Contents?.map((item) => item.Key)).toEqual(["image/2498", "image/2499"]);
    expect(page.Contents?.[0]).toMatchObject({
      Size: 1,
      StorageClass: "STANDARD",
    });
  });

  test("of the first version goes on by marker", async () => {
    const page = { Bucket: "listing", MaxKeys: 3 };
    const first = await client.listObjects(page);
    expect([first.IsTruncated, first.Contents?.at(-1)?.Key]).toEqual([true, "b"]);
    const second = await client.listObjects({ ...page, Marker: "b" });
    expect(second.Contents?.map((item) => item.Key)).toEqual(["c/d/e", "image", "image-x"]);
  });

  test("refuses parameters that make no sense, and none is no page", async () => {
    const bad = client.listObjectsV2({ Bucket: "listing", ContinuationToken: "nonsense" });
    await expect(bad).rejects.toMatchObject({ name: "InvalidArgument" });
    const grouped = client.listObjectsV2({ Bucket: "listing", Delimiter: "/" });
    await expect(grouped).rejects.toMatchObject({ name: "NotImplemented" });
    const none = await client.listObjectsV2({ Bucket: "listing", MaxKeys: 0 });
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
  });
});

describe("a bucket", () => {
  test("is made and found", async () => {
    const name = { Bucket: "made" };
    await client.createBucket(name);
    await client.headBucket(name);
    const { Buckets } = await client.listBuckets({});
    expect(Buckets?.map((bucket) => bucket.Name)).toContain("made");
    expect((await client.getBucketLocation(name)).LocationConstraint).toBeFalsy();
    expect((await client.getBucketVersioning(name)).Status).toBeUndefined();
    await expect(client.headBucket({ Bucket: "missing" })).rejects.toMatchObject({
      name: "NotFound",
    });
  });
});
