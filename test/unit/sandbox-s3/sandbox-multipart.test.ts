import { beforeAll, describe, expect, test } from "vitest";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";

const MIB = 2 ** 20;

sandboxForAll();
beforeAll(() => void store.putObject("from", "six", { size: 6 * 2 ** 30 }));

describe("a multipart copy", () => {
  const target = { Bucket: "to", Key: "big" };

  test("moves six gigabytes with everything they carry", async () => {
    const created = await client.createMultipartUpload({
      ...target,
      ContentType: "video/mp4",
      Metadata: { m: "1" },
      Tagging: "t=1",
    });
    const UploadId = created.UploadId;
    const size = 6 * 2 ** 30;
    const step = 2 ** 30;
    const Parts = [];
    const CopySourceIfMatch = store.getObject("from", "six")?.etag;
    for (let PartNumber = 1, at = 0; at < size; PartNumber++, at += step) {
      const CopySourceRange = `bytes=${at}-${at + step - 1}`;
      const part = await client.uploadPartCopy({
        ...target,
        UploadId,
        PartNumber,
        CopySource: "from/six",
        CopySourceRange,
        CopySourceIfMatch,
      });
      Parts.push({
        PartNumber,
        ETag: part.CopyPartResult?.ETag,
        ChecksumCRC32: part.CopyPartResult?.ChecksumCRC32,
      });
    }
    const complete = { ...target, UploadId, MultipartUpload: { Parts }, IfNoneMatch: "*" };
    const wrong = client.completeMultipartUpload({ ...complete, MpuObjectSize: 1 });
    await expect(wrong).rejects.toMatchObject({ name: "InvalidRequest" });
    const done = await client.completeMultipartUpload({ ...complete, MpuObjectSize: size });
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-6"$/);
    expect(store.getObject("to", "big")).toMatchObject({
      size,
      contentType: "video/mp4",
      metadata: { m: "1" },
      tags: { t: "1" },
    });
    expect(store.listUploads("to")).toEqual([]);
    expect(store.getObject("to", "big")?.read(size - 5)).toEqual(
      store.getObject("from", "six")?.read(size - 5),
    );

    const again = await client.createMultipartUpload(target);
    store.putObject("from", "tiny", "t");
    const part = await client.uploadPartCopy({
      ...target,
      UploadId: again.UploadId,
      PartNumber: 1,
      CopySource: "from/tiny",
    });
    const conflicting = client.completeMultipartUpload({
      ...target,
      UploadId: again.UploadId,
      IfNoneMatch: "*",
      MultipartUpload: { Parts: [{ PartNumber: 1, ...part.CopyPartResult }] },
    });
    await expect(conflicting).rejects.toMatchObject({ name: "PreconditionFailed" });
    await client.abortMultipartUpload({ ...target, UploadId: again.UploadId });
  });

  test("checks the source on each part, and the ranges", async () => {
    const { UploadId } = await client.createMultipartUpload(target);
    const part = (extra: object) =>
      client.uploadPartCopy({ ...target, UploadId, PartNumber: 1, CopySource: "from/six", ...extra });
    await expect(part({ CopySourceIfMatch: '"no"' })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await expect(part({ CopySourceRange: "bytes=0-9999999999999" })).rejects.toMatchObject({
      name: "InvalidArgument",
    });
    await expect(part({})).rejects.toMatchObject({ name: "InvalidRequest" });
    const { Uploads } = await client.listMultipartUploads({ Bucket: "to", Prefix: "big" });
    expect(Uploads).toMatchObject([{ Key: "big", UploadId }]);
    await client.abortMultipartUpload({ ...target, UploadId });
    await expect(part({ CopySourceRange: "bytes=0-1" })).rejects.toMatchObject({ name: "NoSuchUpload" });
  });
});

test("an upload in parts obeys the sizes and the order of its parts", async () => {
  const target = { Bucket: "to", Key: "uploaded" };
  const ChecksumAlgorithm = "CRC32";
  const { UploadId } = await client.createMultipartUpload({ ...target, ChecksumAlgorithm });
  const upload = (PartNumber: number, Body: Buffer) =>
    client.uploadPart({ ...target, UploadId, PartNumber, Body });
  const complete = (Parts: object[]) =>
    client.completeMultipartUpload({ ...target, UploadId, MultipartUpload: { Parts } });
  const one = { PartNumber: 1, ...(await upload(1, Buffer.alloc(5 * MIB, "1"))) };
  const two = { PartNumber: 2, ...(await upload(2, Buffer.alloc(9, "2"))) };
  const three = { PartNumber: 3, ...(await upload(3, Buffer.alloc(9, "3"))) };
  await expect(complete([one, two, three])).rejects.toMatchObject({ name: "EntityTooSmall" });
  await expect(complete([three, one])).rejects.toMatchObject({ name: "InvalidPartOrder" });
  await expect(complete([one, { ...two, ETag: '"x"' }])).rejects.toMatchObject({ name: "InvalidPart" });
  await expect(complete([{ PartNumber: 1, ETag: one.ETag }])).rejects.toMatchObject({
    name: "InvalidRequest",
  });
  const done = await complete([one, three]);
  expect(done.ChecksumCRC32).toMatch(/-2$/);
  const got = await client.getObject({ ...target, PartNumber: 2 });
  expect(await got.Body?.transformToString()).toBe("333333333");
  expect(got.PartsCount).toBe(2);
});

test.each([
  ["CRC64NVME", "FULL_OBJECT", true],
  ["CRC64NVME", "COMPOSITE", false],
  ["CRC32", "FULL_OBJECT", true],
  ["CRC32", "COMPOSITE", true],
  ["SHA256", "FULL_OBJECT", false],
  ["SHA256", "COMPOSITE", true],
] as const)("an upload in parts with %s and %s: %s", async (ChecksumAlgorithm, ChecksumType, isTaken) => {
  const target = { Bucket: "to", Key: "typed" };
  const created = client.createMultipartUpload({ ...target, ChecksumAlgorithm, ChecksumType });
  if (!isTaken) return expect(created).rejects.toMatchObject({ name: "InvalidRequest" });
  const { UploadId } = await created;
  await client.abortMultipartUpload({ ...target, UploadId });
});

test("a copy in parts of an object put in one piece has the source's checksum over the whole, and another ETag", async () => {
  const source = { Bucket: "from", Key: "whole" };
  const target = { Bucket: "to", Key: "cut" };
  store.putObject(source.Bucket, source.Key, { size: 11 * MIB, seed: 5 });
  const look = (at: typeof source) => client.headObject({ ...at, ChecksumMode: "ENABLED" });
  const before = await look(source);
  const { UploadId } = await client.createMultipartUpload({
    ...target,
    ChecksumAlgorithm: "CRC64NVME",
    ChecksumType: "FULL_OBJECT",
  });
  const Parts = [];
  for (const [at, CopySourceRange] of [
    `bytes=0-${6 * MIB - 1}`,
    `bytes=${6 * MIB}-${11 * MIB - 1}`,
  ].entries()) {
    const part = { ...target, UploadId, PartNumber: at + 1, CopySource: "from/whole", CopySourceRange };
    const { CopyPartResult } = await client.uploadPartCopy(part);
    expect(CopyPartResult?.ChecksumCRC64NVME).toMatch(/^[\w+/]{11}=$/);
    Parts.push({ PartNumber: at + 1, ETag: CopyPartResult?.ETag });
  }
  await client.completeMultipartUpload({ ...target, UploadId, MultipartUpload: { Parts } });
  const after = await look(target);
  expect(before.ChecksumType).toBe("FULL_OBJECT");
  expect(after.ChecksumType).toBe("FULL_OBJECT");
  expect(after.ChecksumCRC64NVME).toBe(before.ChecksumCRC64NVME);
  expect(after.ETag).toMatch(/-2"$/);
});
