/** Copies in parts under faults: nothing is left behind, nothing is lost, nothing is copied that changed. */

import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { noRequests } from "../../../src/ports/object-store.ts";
import type { SandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { openConnections } from "../../../src/stores/open-connections.ts";
import { codeOf, emptySandbox, type Seed, seedIn } from "./object-store-seeds.ts";
import { openStore, startSandbox } from "./object-store-under-test.ts";
import { MIB } from "./object-store-uploads.ts";

describe("copies in parts under faults", () => {
  let under: Awaited<ReturnType<typeof startSandbox>>;
  let sandbox: SandboxStore;

  beforeAll(async () => {
    under = await startSandbox();
    sandbox = under.sandbox;
  });
  afterAll(() => under.close());
  beforeEach(() => emptySandbox(sandbox));

  const seed = (...object: Seed) => seedIn(sandbox, ...object);

  const large = { size: 11 * MIB, seed: 3 };
  const inParts = { multipartCopyBytes: MIB, parts: { partBytes: 5 * MIB } };

  it.each([
    [
      "a part",
      { operation: "UploadPartCopy", nth: 2, effect: { type: "internal-error" } } as const,
      "store_unavailable",
    ],
    [
      "a part inside a 200",
      { operation: "UploadPartCopy", nth: 3, effect: { type: "error-in-200" } } as const,
      "store_unavailable",
    ],
    [
      "the completion",
      { operation: "CompleteMultipartUpload", effect: { type: "slow-down" } } as const,
      "store_throttled",
    ],
    [
      "the completion inside a 200",
      { operation: "CompleteMultipartUpload", effect: { type: "error-in-200" } } as const,
      "store_unavailable",
    ],
  ])("leaves no unfinished upload when %s fails", async (_, rule, code) => {
    const { store } = openStore(under, inParts);
    const request = seed("large", {}, large);
    sandbox.faults.add(rule);
    expect(await codeOf(store.copy(request))).toBe(code);
    expect(sandbox.listUploads("dst")).toEqual([]);
    expect(sandbox.listKeys("dst")).toEqual([]);
    sandbox.faults.clear();
    expect((await store.copy(request)).kind).toBe("copied");
  });

  it("tidies up after itself, and leaves alone an upload of another user to the same key", async () => {
    const other = { accessKeyId: "application", secretAccessKey: "another-secret" };
    sandbox.credentials.grant(other);
    const at = { Bucket: "dst", Key: "large" };
    const theirs = await openStore({ ...under, ...other }).client.send(new CreateMultipartUploadCommand(at));
    const { store, client } = openStore(under, inParts);
    await client.send(new CreateMultipartUploadCommand(at));
    expect((await store.copy(seed("large", {}, large))).kind).toBe("copied");
    const { Uploads: left = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: "dst" }));
    expect(left.map(({ UploadId }) => UploadId)).toEqual([theirs.UploadId]);
    await client.send(new AbortMultipartUploadCommand({ ...at, UploadId: theirs.UploadId }));
  });

  it.each([
    ["between two parts", "before", 1],
    ["after all parts, as Ceph ignores the condition on parts", "after", 3],
  ] as const)("notices a source overwritten %s", async (_, point, parts) => {
    const { store } = openStore(under, { ...inParts, parts: { partBytes: 5 * MIB, partConcurrency: parts } });
    const request = seed("large", {}, large);
    const hold = sandbox.faults.hold({ operation: "UploadPartCopy" }, point);
    const copying = store.copy(request);
    await sandbox.faults.arrival(hold, parts);
    sandbox.putObject("src", "large", { size: 11 * MIB, seed: 4 });
    sandbox.faults.release();
    expect(await copying).toEqual({ kind: "precondition_failed" });
    expect(sandbox.listUploads("dst")).toEqual([]);
    expect(sandbox.getObject("dst", "large")).toBeUndefined();
  });

  it("aborts a copy in parts when stopped, and never cuts a request", async () => {
    const { store } = openStore(under, { ...inParts, parts: { partBytes: 5 * MIB, partConcurrency: 1 } });
    const stop = new AbortController();
    const hold = sandbox.faults.hold({ operation: "UploadPartCopy" });
    const copying = codeOf(store.copy(seed("large", {}, large), stop.signal));
    await sandbox.faults.arrival(hold);
    stop.abort();
    sandbox.faults.release();
    expect(await copying).toBe("stopped");
    expect(sandbox.listUploads("dst")).toEqual([]);
  });

  it("has 128 parts of a store under way at most, whichever jobs they belong to, and answers other requests", async () => {
    const { endpoint, accessKeyId, secretAccessKey } = under;
    const main = { endpoint, accessKeyId, secretAccessKey, forcePathStyle: true };
    const connections = openConnections({ stores: { main }, databases: {} });
    const stores = [1, 2].map(() => connections.store("main", noRequests()));
    const before = sandbox.requests.count("UploadPartCopy");
    const hold = sandbox.faults.hold({ operation: "UploadPartCopy" });
    const copies = stores.flatMap((store, job) =>
      [1, 2, 3].map((n) => store.copy(seed(`${job}/${n}`, {}, { size: 512 * MIB, seed: n }))),
    );
    await sandbox.faults.arrival(hold, 128);
    const listing = { bucket: "dst", prefix: "", startAfter: null, limit: 10 };
    expect(await stores[0]?.list(listing)).toEqual({ objects: [], more: false });
    expect(sandbox.requests.count("UploadPartCopy") - before).toBe(128);
    sandbox.faults.release();
    expect((await Promise.all(copies)).map(({ kind }) => kind)).toEqual(copies.map(() => "copied"));
    await connections.close();
  });

  it("refuses to complete a copy in parts over an existing target", async () => {
    const { store } = openStore(under, inParts);
    sandbox.putObject("dst", "large", "precious");
    const request = seed("large", {}, large);
    expect(await store.copy(request)).toEqual({ kind: "precondition_failed" });
    expect(sandbox.listUploads("dst")).toEqual([]);
    expect(sandbox.getObject("dst", "large")?.size).toBe(8);
    expect((await store.copy({ ...request, onlyIfAbsent: false })).kind).toBe("copied");
  });

  it("keeps encryption, redirect and odd expiry dates in a copy in parts, and gives comparable checksums", async () => {
    const { store } = openStore(under, inParts);
    const options = {
      expires: "0",
      websiteRedirectLocation: "/elsewhere",
      serverSideEncryption: "aws:kms",
      tags: { a: "b" },
    };
    const request = seed("large", options, large);
    expect((await store.copy(request)).kind).toBe("copied");
    expect(sandbox.getObject("dst", "large")).toMatchObject({
      attributes: expect.objectContaining({ expires: "0" }),
      websiteRedirectLocation: "/elsewhere",
      serverSideEncryption: "aws:kms",
      tags: { a: "b" },
    });
    const [before, after] = await Promise.all(
      ["src", "dst"].map((bucket) => store.head({ bucket, key: "large" }, { checksums: true })),
    );
    expect(before?.checksums).toEqual([
      { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: expect.any(String) },
    ]);
    expect(after?.checksums).toEqual(before?.checksums);
  });

  it("has a copy in parts carry the source's own kind of checksum, so that they compare", async () => {
    const { store, client } = openStore(under, inParts);
    const body = Buffer.alloc(6 * MIB, 1);
    const at = { Bucket: "src", Key: "summed", Body: body };
    const { ETag: etag = "" } = await client.send(
      new PutObjectCommand({ ...at, ChecksumAlgorithm: "CRC32C" }),
    );
    const source = { bucket: "src", key: "summed", etag: etag.replaceAll('"', ""), size: body.length };
    expect((await store.copy({ ...seed("other"), source })).kind).toBe("copied");
    const before = await store.head({ bucket: "src", key: "summed" }, { checksums: true });
    const after = await store.head({ bucket: "dst", key: "other" }, { checksums: true });
    expect(before?.checksums).toMatchObject([{ algorithm: "CRC32C", type: "FULL_OBJECT" }]);
    expect(after?.checksums).toEqual(before?.checksums);
  });

  it("keeps a multipart ETag below the limit too, when told to", async () => {
    const request = seed("parted", { partBytes: 5 * MIB }, large);
    const single = await openStore(under).store.copy(request);
    expect(single).toMatchObject({ kind: "copied", etag: expect.not.stringContaining("-") });
    sandbox.deleteObject("dst", "parted");
    const parted = await openStore(under, { keepMultipartEtags: true }).store.copy(request);
    expect(parted).toEqual({ kind: "copied", etag: request.source.etag });
  });

  it("asks a store that cannot refuse existing targets only once", async () => {
    const { store, counts } = openStore(under);
    const rejects = sandbox.faults.add({
      operation: "CopyObject",
      when: ({ headers }) => headers["if-none-match"] !== undefined,
      effect: { type: "error", status: 501, code: "NotImplemented" },
    });
    for (const key of ["one", "two", "three"]) expect((await store.copy(seed(key))).kind).toBe("copied");
    expect(rejects.fired).toBe(1);
    expect(counts.copy).toBe(4);
  });
});
