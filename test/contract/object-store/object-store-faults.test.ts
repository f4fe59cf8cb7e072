/** How the adapter takes the faults of a store, which only the sandbox can produce. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { noRequests } from "../../../src/ports/object-store.ts";
import type { SandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { codeOf, emptySandbox, type Seed, seedIn } from "./object-store-seeds.ts";
import { COPY_PATHS, openStore, startSandbox } from "./object-store-under-test.ts";

describe.each(COPY_PATHS)("faults of a store, copies %s", (copyPath) => {
  let under: Awaited<ReturnType<typeof startSandbox>>;
  let sandbox: SandboxStore;

  beforeAll(async () => {
    under = { ...(await startSandbox()), copyPath };
    sandbox = under.sandbox;
  });
  afterAll(() => under.close());
  beforeEach(() => emptySandbox(sandbox));

  const listing = { bucket: "src", prefix: "", startAfter: null, limit: 10 };
  const seed = (...object: Seed) => seedIn(sandbox, ...object);

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
    [{ type: "error", status: 400, code: "ExpiredToken" } as const, "store_credentials", "ExpiredToken"],
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
    const small = performance.now() - begun;
    expect(small).toBeGreaterThan(140);
    expect(small).toBeLessThan(400);
  });

  it("waits for a copy as long as its size allows for, at 10 MB a second, and no longer than a copy may take", async () => {
    const { store } = openStore(under, { timeouts: { requestMs: 50, copyMs: 600 } });
    sandbox.faults.add({ effect: { type: "hang" } });
    const request = seed("k");
    const time = async (size: number) => {
      const begun = performance.now();
      await codeOf(store.copy({ ...request, source: { ...request.source, size } }));
      return performance.now() - begun;
    };
    expect(await time(4)).toBeLessThan(240);
    const larger = await time(2_000_000);
    expect(larger).toBeGreaterThan(240);
    expect(larger).toBeLessThan(500);
    expect(await time(200_000_000)).toBeGreaterThan(580);
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
      restore: { ongoing: false, expiry: expiresAt },
    });
    expect(await store.head({ bucket: "src", key: "restored" })).toMatchObject({ needsRestore: false });
    expect((await store.copy(restored)).kind).toBe("copied");
    seed("tiered", { storageClass: "INTELLIGENT_TIERING", archiveStatus: "ARCHIVE_ACCESS" });
    expect(await store.head({ bucket: "src", key: "tiered" })).toMatchObject({ needsRestore: true });
  });

  it("learns every key's outcome from a deletion that failed in parts", async () => {
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
});
