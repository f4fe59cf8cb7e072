/** The object store contract on the sandbox store and on Ceph; faults, which only the sandbox can produce. */

import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type CopyRequest, noRequests } from "../../src/ports/object-store.ts";
import { type SandboxStore, startSandboxStore } from "../../src/sandbox/sandbox-store.ts";
import { objectStoreContract, openStore, type StoreUnderTest } from "./object-store-contract.ts";
import { MIB } from "./object-store-uploads.ts";

const KEYS = { accessKeyId: "sandbox", secretAccessKey: "sandbox-secret" };

async function startSandbox(): Promise<StoreUnderTest & { readonly sandbox: SandboxStore }> {
  const sandbox = await startSandboxStore({ ...KEYS, buckets: [{ name: "src" }, { name: "dst" }] });
  return {
    ...KEYS,
    sandbox,
    endpoint: sandbox.url,
    otherStorageClass: "STANDARD_IA",
    copiesOnlyIfAbsent: true,
    deletesOnlyIfMatching: true,
    close: () => sandbox.close(),
  };
}

objectStoreContract("the sandbox store", startSandbox);

// Ceph 16.2 ignores If-None-Match on copies and completions, and ETags on deletions; storage classes need set-up.
objectStoreContract("Ceph", async () => ({
  ...inject("s3"),
  otherStorageClass: null,
  copiesOnlyIfAbsent: false,
  deletesOnlyIfMatching: false,
  close: async () => {},
}));

describe("faults of a store", () => {
  let under: Awaited<ReturnType<typeof startSandbox>>;
  let sandbox: SandboxStore;

  beforeAll(async () => {
    under = await startSandbox();
    sandbox = under.sandbox;
  });
  afterAll(() => under.close());
  beforeEach(() => {
    sandbox.faults.clear();
    for (const bucket of ["src", "dst"]) {
      for (const key of sandbox.listKeys(bucket)) sandbox.deleteObject(bucket, key);
    }
  });

  const listing = { bucket: "src", prefix: "", startAfter: null, limit: 10 };
  const seed = (
    key: string,
    options = {},
    body: Parameters<SandboxStore["putObject"]>[2] = "body",
  ): CopyRequest => {
    const { etag } = sandbox.putObject("src", key, body, options);
    const size = sandbox.getObject("src", key)?.size ?? 0;
    return {
      source: { bucket: "src", key, etag, size },
      target: { bucket: "dst", key },
      storageClass: null,
      onlyIfAbsent: true,
    };
  };
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => "none",
      (error) => error.code ?? String(error),
    );

  it.each([
    [{ type: "slow-down" } as const, "store_throttled", "SlowDown"],
    [{ type: "error", status: 429, code: "TooManyRequests" } as const, "store_throttled", "TooManyRequests"],
    [{ type: "error", status: 503, code: "Whatever" } as const, "store_throttled", "Whatever"],
    [{ type: "internal-error" } as const, "store_unavailable", "InternalError"],
    [{ type: "error", status: 502, code: "BadGateway" } as const, "store_unavailable", "BadGateway"],
    [
      { type: "error", status: 409, code: "ConditionalRequestConflict" } as const,
      "store_unavailable",
      "ConditionalRequestConflict",
    ],
    [
      { type: "error", status: 409, code: "OperationAborted" } as const,
      "store_unavailable",
      "OperationAborted",
    ],
    [
      { type: "error", status: 403, code: "RequestTimeTooSkewed" } as const,
      "store_unavailable",
      "RequestTimeTooSkewed",
    ],
    [{ type: "error", status: 400, code: "ExpiredToken" } as const, "store_unavailable", "ExpiredToken"],
    [
      { type: "error", status: 301, code: "PermanentRedirect" } as const,
      "store_refused",
      "PermanentRedirect",
    ],
    [{ type: "reset-before" } as const, "store_unavailable", "ECONNRESET"],
    [{ type: "reset-after" } as const, "store_unavailable", "ECONNRESET"],
  ])("translates %j for listing, copy and deletion alike", async (effect, code, vendorCode) => {
    const request = seed("k");
    sandbox.faults.add({ effect });
    const { store, counts } = openStore(under);
    const error = expect.objectContaining({ code, details: expect.objectContaining({ vendorCode }) });
    await expect(store.list(listing)).rejects.toEqual(error);
    await expect(store.copy(request)).rejects.toEqual(error);
    await expect(store.deleteObjects("src", [request.source])).rejects.toEqual(error);
    expect(counts).toEqual({
      ...noRequests(),
      list: 1,
      copy: 1,
      delete: 1,
      throttled: code === "store_throttled" ? 3 : 0,
    });
  });

  it("takes neither a 200 with an error inside nor an empty 200 for a copy", async () => {
    const { store } = openStore(under);
    const request = seed("k");
    sandbox.faults.add({ operation: "CopyObject", effect: { type: "error-in-200" }, times: 1 });
    expect(await codeOf(store.copy(request))).toBe("store_unavailable");
    sandbox.faults.add({ operation: "CopyObject", effect: { type: "empty-200" }, times: 1 });
    expect(await codeOf(store.copy(request))).toBe("store_unavailable");
    sandbox.faults.add({
      operation: "CopyObject",
      effect: { type: "error-in-200", code: "SlowDown" },
      times: 1,
    });
    expect(await codeOf(store.copy(request))).toBe("store_throttled");
    expect((await store.copy(request)).kind).toBe("copied");
  });

  it("takes neither an empty answer nor an error inside a 200 for an empty bucket", async () => {
    const { store } = openStore(under);
    sandbox.faults.add({ operation: "ListObjectsV2", effect: { type: "empty-200" }, times: 1 });
    expect(await codeOf(store.list(listing))).toBe("store_unavailable");
    sandbox.faults.add({ operation: "ListObjectsV2", effect: { type: "error-in-200" }, times: 1 });
    expect(await codeOf(store.list(listing))).toBe("store_unavailable");
  });

  it("gives up on a store that does not answer", async () => {
    const { store } = openStore(under, { timeouts: { requestMs: 80, copyMs: 160 } });
    sandbox.faults.add({ effect: { type: "hang" } });
    const begun = performance.now();
    await expect(store.list(listing)).rejects.toMatchObject({
      code: "store_unavailable",
      details: { vendorCode: "Timeout" },
    });
    await expect(store.copy(seed("k"))).rejects.toMatchObject({ code: "store_unavailable" });
    expect(performance.now() - begun).toBeGreaterThan(200);
  });

  it("tells a refusal of one object from a refusal of everything", async () => {
    const { store } = openStore(under);
    sandbox.faults.add({ effect: { type: "access-denied" }, bucket: "dst" });
    sandbox.faults.add({ effect: { type: "access-denied" }, operation: ["DeleteObject", "ListObjectsV2"] });
    expect(await store.copy(seed("k"))).toMatchObject({ kind: "failed", failure: { code: "access_denied" } });
    const [deleted] = await store.deleteObjects("src", [seed("k\x02").source]);
    expect(deleted).toMatchObject({ failure: { code: "delete_denied" } });
    expect(await codeOf(store.list(listing))).toBe("store_denied");
    sandbox.faults.clear();
    const effect = { type: "error", status: 400, code: "InvalidRequest", message: "too\nlarge" } as const;
    sandbox.faults.add({ operation: "CopyObject", effect });
    const refused = {
      kind: "failed",
      failure: { code: "copy_refused", message: "InvalidRequest: too large" },
    };
    expect(await store.copy(seed("k"))).toEqual(refused);
  });

  it("reports archived objects, and copies restored ones", async () => {
    const { store } = openStore(under);
    const archived = seed("archived", { storageClass: "GLACIER" });
    expect(await store.head({ bucket: "src", key: "archived" })).toMatchObject({
      needsRestore: true,
      storageClass: "GLACIER",
    });
    expect(await store.copy(archived)).toMatchObject({ kind: "failed", failure: { code: "needs_restore" } });
    const expiresAt = new Date(Date.now() + 86_400_000);
    const restored = seed("restored", {
      storageClass: "DEEP_ARCHIVE",
      restore: { ongoing: false, expiresAt },
    });
    expect(await store.head({ bucket: "src", key: "restored" })).toMatchObject({ needsRestore: false });
    expect((await store.copy(restored)).kind).toBe("copied");
    seed("tiered", { storageClass: "INTELLIGENT_TIERING", archiveStatus: "ARCHIVE_ACCESS" });
    expect(await store.head({ bucket: "src", key: "tiered" })).toMatchObject({ needsRestore: true });
  });

  it("learns every key's fate from a deletion that failed in parts", async () => {
    const { store, counts } = openStore(under);
    const objects = ["denied", "fine", "odd", "shaky", "throttled", "changed"].map((key) => seed(key).source);
    sandbox.putObject("src", "changed", "other");
    const error = (key: string, code: string, times = 99) =>
      sandbox.faults.add({ operation: "DeleteObjects", key, times, effect: { type: "key-error", code } });
    error("denied", "AccessDenied");
    error("odd", "MethodNotAllowed");
    error("shaky", "InternalError", 2);
    error("throttled", "SlowDown", 1);
    const results = await store.deleteObjects("src", objects);
    expect(Object.fromEntries(results.map(({ key, failure }) => [key, failure?.code ?? null]))).toEqual({
      denied: "delete_denied",
      fine: null,
      odd: "delete_refused",
      shaky: null,
      throttled: null,
      changed: "source_changed",
    });
    expect(sandbox.listKeys("src")).toEqual(["changed", "denied", "odd"]);
    expect(counts).toMatchObject({ delete: 3, throttled: 1 });
  });

  it("does not wait for ever for a key that cannot be deleted, but leaves throttling to the caller", async () => {
    const { store } = openStore(under);
    const objects = ["fine", "shaky"].map((key) => seed(key).source);
    const fault = sandbox.faults.add({ key: "shaky", effect: { type: "key-error", code: "InternalError" } });
    const [fine, shaky] = await store.deleteObjects("src", objects);
    expect([fine?.failure, shaky?.failure?.code]).toEqual([null, "delete_refused"]);
    expect(await codeOf(store.deleteObjects("src", objects.slice(1)))).toBe("store_unavailable");
    fault.remove();
    sandbox.faults.add({ key: "shaky", effect: { type: "key-error", code: "SlowDown" }, times: 4 });
    expect(await codeOf(store.deleteObjects("src", objects))).toBe("store_throttled");
    expect((await store.deleteObjects("src", objects)).every(({ failure }) => failure === null)).toBe(true);
  });

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

  it("notices a source overwritten between two parts", async () => {
    const { store } = openStore(under, { ...inParts, parts: { partBytes: 5 * MIB, partConcurrency: 1 } });
    const request = seed("large", {}, large);
    const hold = sandbox.faults.hold({ operation: "UploadPartCopy" });
    const copying = store.copy(request);
    await sandbox.faults.arrival(hold);
    sandbox.putObject("src", "large", { size: 11 * MIB, seed: 4 });
    sandbox.faults.release();
    expect(await copying).toEqual({ kind: "precondition_failed" });
    expect(sandbox.listUploads("dst")).toEqual([]);
    expect(sandbox.getObject("dst", "large")).toBeUndefined();
  });

  it("looks at the source once more when all parts are copied, as Ceph ignores the condition on parts", async () => {
    const { store } = openStore(under, inParts);
    const request = seed("large", {}, large);
    const hold = sandbox.faults.hold({ operation: "UploadPartCopy" }, "after");
    const copying = store.copy(request);
    await sandbox.faults.arrival(hold, 3);
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
    expect(rejects.struck).toBe(1);
    expect(counts.copy).toBe(4);
  });
});
