/** Deletes and versions of the sandbox store, through the AWS SDK. */

import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { readDeletionList } from "../../../src/sandbox-s3/protocol/deletion-list.ts";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";

sandboxForAll({ buckets: [] });

let Bucket = "";
let bucketNumber = 0;
beforeEach(() => {
  Bucket = `bucket-${bucketNumber++}`;
  store.createBucket(Bucket);
});

const bulk = (Objects: { Key: string; VersionId?: string; ETag?: string }[], Quiet = false) =>
  client.deleteObjects({ Bucket, Delete: { Objects, Quiet } });

describe("a bulk delete", () => {
  test("reports each key, a missing one as deleted", async () => {
    store.putObject(Bucket, "a", "x");
    const hostile = [" a+b ", "é<&>\"'", "x\r\ny\t", "😀//"];
    for (const key of hostile) store.putObject(Bucket, key, "x");
    const answer = await bulk(["a", "missing", ...hostile].map((Key) => ({ Key })));
    expect(answer.Errors).toBeUndefined();
    expect(answer.Deleted?.length).toBe(6);
    expect(answer.Deleted?.slice(0, 4).map((item) => item.Key)).toEqual([
      "a",
      "missing",
      ...hostile.slice(0, 2),
    ]);
    expect(store.countObjects(Bucket)).toBe(0);
  });

  test("keeps the keys whose ETag is another, and says so even when quiet", async () => {
    const { etag } = store.putObject(Bucket, "same", "1");
    store.putObject(Bucket, "changed", "2");
    const entries = ["same", "changed", "missing"].map((Key) => ({ Key, ETag: `"${etag}"` }));
    const answer = await bulk(entries, true);
    expect(answer.Deleted).toBeUndefined();
    expect(answer.Errors?.map((item) => [item.Key, item.Code])).toEqual([
      ["changed", "PreconditionFailed"],
      ["missing", "NoSuchKey"],
    ]);
    expect(store.listKeys(Bucket)).toEqual(["changed"]);
  });

  test("takes a thousand keys and no more", async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, n) => ({ Key: `k&${n}` }));
    for (const { Key } of keys(1000)) store.putObject(Bucket, Key, "x");
    await expect(bulk(keys(1001))).rejects.toMatchObject({ name: "MalformedXML" });
    await expect(bulk([])).rejects.toMatchObject({ name: "MalformedXML" });
    expect((await bulk(keys(1000))).Deleted?.length).toBe(1000);
    expect(store.countObjects(Bucket)).toBe(0);
  });

  test("is malformed as a whole by one control character, which a single delete takes", async () => {
    store.putObject(Bucket, "ok", "x");
    store.putObject(Bucket, "bell\u0007", "x");
    await expect(bulk([{ Key: "ok" }, { Key: "bell\u0007" }])).rejects.toMatchObject({
      name: "MalformedXML",
    });
    expect(store.countObjects(Bucket)).toBe(2);
    await client.deleteObject({ Bucket, Key: "bell\u0007" });
    expect(store.listKeys(Bucket)).toEqual(["ok"]);
  });

  test("must be well-formed XML", () => {
    const read = (text: string) => readDeletionList(Buffer.from(text, "latin1"));
    const object = (key: string) => `<Delete><Object><Key>${key}</Key></Object></Delete>`;
    expect(read(object("a&#x9;&lt;&#233;b")).entries[0]?.key).toBe("a\t<éb");
    expect(read(object(" <![CDATA[<x>]]> ")).entries[0]?.key).toBe(" <x> ");
    for (const bad of ["a&b", "a&#1;", "&#xD800;", "\u0001", "\u00ff", "<b>", ""]) {
      expect(() => read(object(bad))).toThrow("MalformedXML");
    }
    for (const bad of ["", "x", "<Delete>", `${object("a")}x`, "<Other/>", `<!DOCTYPE a>${object("a")}`]) {
      expect(() => read(bad)).toThrow("MalformedXML");
    }
  });
});

describe("a single delete", () => {
  test("of a missing key succeeds, and happens only if its condition holds", async () => {
    const del = (Key: string, IfMatch?: string) =>
      client.deleteObject({ Bucket, Key, ...(IfMatch !== undefined && { IfMatch }) });
    await del("missing");
    await expect(del("missing", "*")).rejects.toMatchObject({ name: "NoSuchKey" });
    const { etag } = store.putObject(Bucket, "k", "1");
    await expect(del("k", '"no"')).rejects.toMatchObject({ name: "PreconditionFailed" });
    await del("k", `"${etag}"`);
    expect(store.countObjects(Bucket)).toBe(0);
  });
});

describe("a versioned bucket", () => {
  const versions = async () => {
    const page = await client.listObjectVersions({ Bucket });
    return [page.Versions ?? [], page.DeleteMarkers ?? []] as const;
  };
  const setVersioning = (Status: "Enabled" | "Suspended") =>
    client.putBucketVersioning({ Bucket, VersioningConfiguration: { Status } });

  test("keeps old versions behind new ones and behind delete markers", async () => {
    store.putObject(Bucket, "k", "before");
    await setVersioning("Enabled");
    const put = await client.putObject({ Bucket, Key: "k", Body: "one" });
    expect(put.VersionId).toMatch(/^.{32}$/);
    const deleted = await client.deleteObject({ Bucket, Key: "k" });
    expect(deleted.DeleteMarker).toBe(true);
    expect((await client.listObjectsV2({ Bucket })).Contents).toBeUndefined();
    const [kept, markers] = await versions();
    expect(kept.map((version) => [version.VersionId, version.IsLatest])).toEqual([
      [put.VersionId, false],
      ["null", false],
    ]);
    expect(markers).toMatchObject([{ VersionId: deleted.VersionId, IsLatest: true }]);
    await expect(client.getObject({ Bucket, Key: "k" })).rejects.toMatchObject({
      name: "NoSuchKey",
    });
    const old = await client.getObject({ Bucket, Key: "k", VersionId: "null" });
    expect(await old.Body?.transformToString()).toBe("before");
    const marker = { Bucket, Key: "k", VersionId: deleted.VersionId };
    const head = client.headObject(marker);
    await expect(head).rejects.toMatchObject({ $metadata: { httpStatusCode: 405 } });

    const undone = await client.deleteObject(marker);
    expect(undone).toMatchObject({ DeleteMarker: true, VersionId: deleted.VersionId });
    expect(store.getObject(Bucket, "k")?.read().toString()).toBe("one");
    const bulkAnswer = await bulk([{ Key: "k" }, { Key: "k", VersionId: "null" }]);
    expect(bulkAnswer.Deleted).toMatchObject([
      { Key: "k", DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
      { Key: "k", VersionId: "null" },
    ]);
    expect(store.listVersions(Bucket).length).toBe(2);
  });

  test("has one null version while suspended", async () => {
    await setVersioning("Enabled");
    const { versionId } = store.putObject(Bucket, "k", "kept");
    await setVersioning("Suspended");
    store.putObject(Bucket, "k", "null one");
    store.putObject(Bucket, "k", "null two");
    expect(store.listVersions(Bucket).map((version) => version.versionId)).toEqual(["null", versionId]);
    await client.deleteObject({ Bucket, Key: "k" });
    expect(store.listVersions(Bucket).map((version) => [version.versionId, version.isDeleteMarker])).toEqual([
      ["null", true],
      [versionId, false],
    ]);
  });
});

test("the ETag of an object under KMS keys is no MD5 and new with each write", async () => {
  const put = () =>
    client.putObject({
      Bucket,
      Key: "k",
      Body: "x",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: "key",
    });
  const [first, second] = [await put(), await put()];
  expect(first.ETag).not.toBe(second.ETag);
  expect(first.ETag).not.toContain(createHash("md5").update("x").digest("hex"));
  expect(first).toMatchObject({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key" });
});
