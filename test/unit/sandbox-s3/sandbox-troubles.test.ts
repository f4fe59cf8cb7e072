/** Credentials that end, buckets elsewhere, cut connections, slow copies and encryption of the sandbox store. */

import { afterEach, beforeEach, expect, test } from "vitest";
import type { SandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { connectTo, credentials } from "../../support/sandbox-client.ts";

let store: SandboxStore;
let now = Date.now();
beforeEach(async () => {
  now = Date.now();
  store = await startSandboxStore({
    ...credentials,
    buckets: [{ name: "from" }, { name: "to" }, { name: "far", region: "eu-west-1" }],
    now: () => new Date(now),
  });
});
afterEach(() => store.close());

const list = (Bucket = "from", config = {}) => connectTo(store, config).listObjectsV2({ Bucket });

test("credentials end when told, at their time, or when revoked; others go on", async () => {
  const fresh = { accessKeyId: "fresh", secretAccessKey: "another secret", sessionToken: "token" };
  store.credentials.grant(fresh, new Date(now + 60_000));
  await list("from", { credentials: fresh });
  store.credentials.expire(credentials.accessKeyId);
  await expect(list()).rejects.toMatchObject({ name: "ExpiredToken" });
  const { sessionToken: _, ...bare } = fresh;
  await expect(list("from", { credentials: bare })).rejects.toMatchObject({ name: "InvalidToken" });
  now += 60_000;
  await expect(list("from", { credentials: fresh })).rejects.toMatchObject({ name: "ExpiredToken" });
  store.credentials.grant(credentials);
  await list();
  store.credentials.revoke(credentials.accessKeyId);
  await expect(list()).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
});

test("a bucket elsewhere is answered with a redirect that names its region", async () => {
  const $response = expect.objectContaining({
    headers: expect.objectContaining({ "x-amz-bucket-region": "eu-west-1" }),
  });
  await expect(list("far")).rejects.toMatchObject({ name: "PermanentRedirect", $response });
  const head = connectTo(store).headBucket({ Bucket: "far" });
  await expect(head).rejects.toMatchObject({ $metadata: { httpStatusCode: 301 }, $response });
  const near = connectTo(store, { region: "eu-west-1" });
  expect(await near.headBucket({ Bucket: "far" })).toMatchObject({
    BucketRegion: "eu-west-1",
  });
  expect(await near.getBucketLocation({ Bucket: "far" })).toMatchObject({
    LocationConstraint: "eu-west-1",
  });
  await expect(near.headBucket({ Bucket: "from" })).rejects.toMatchObject({
    $response: { headers: { "x-amz-bucket-region": "us-east-1" } },
  });
});

test("all connections are reset at once, and answers under way are lost", async () => {
  const hold = store.faults.hold({ operation: "ListObjectsV2" });
  const lost = [1, 2, 3].map(() => list());
  await store.faults.arrival(hold, 3);
  expect(store.resetConnections()).toBe(3);
  const errors = await Promise.allSettled(lost);
  const reset = { status: "rejected", reason: expect.objectContaining({ code: "ECONNRESET" }) };
  expect(errors).toEqual([reset, reset, reset]);
  store.faults.release();
  await list();
});

test("copies take as long as their bytes, part by part", async () => {
  const client = connectTo(store);
  store.putObject("from", "large", { size: 20 * 2 ** 20 });
  store.faults.copyBytesPerSecond = 100 * 2 ** 20;
  const at = { Bucket: "to", Key: "k", CopySource: "from/large" };
  const time = async (work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  expect(await time(() => client.copyObject(at))).toBeGreaterThan(190);
  const { UploadId } = await client.createMultipartUpload(at);
  const part = (PartNumber: number) =>
    client.uploadPartCopy({
      ...at,
      UploadId,
      PartNumber,
      CopySourceRange: `bytes=0-${5 * 2 ** 20 - 1}`,
    });
  const inParts = await time(() => Promise.all([1, 2, 3, 4].map(part)));
  expect(inParts).toBeGreaterThan(45);
  expect(inParts).toBeLessThan(150);
});

test("objects get the bucket's encryption unless they ask for another", async () => {
  const client = connectTo(store);
  store.createBucket("to", { encryption: { algorithm: "aws:kms", kmsKeyId: "key-1", bucketKey: true } });
  store.putObject("from", "k", "x");
  await client.copyObject({ Bucket: "to", Key: "plain", CopySource: "from/k" });
  const asked = { ServerSideEncryption: "AES256" } as const;
  await client.copyObject({ Bucket: "to", Key: "asked", CopySource: "from/k", ...asked });
  const head = (Key: string) => client.headObject({ Bucket: "to", Key });
  const byKms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1", BucketKeyEnabled: true };
  expect(await head("plain")).toMatchObject(byKms);
  expect(await head("asked")).toMatchObject(asked);
  const { ServerSideEncryptionConfiguration } = await client.getBucketEncryption({ Bucket: "to" });
  expect(ServerSideEncryptionConfiguration?.Rules).toEqual([
    {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "key-1" },
      BucketKeyEnabled: true,
    },
  ]);
});
