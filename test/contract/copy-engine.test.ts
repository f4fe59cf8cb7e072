/** The promises of a copy engine, kept by each of the three. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CopyResult } from "../../src/ports/object-store.ts";
import type { SeedOptions } from "../../src/sandbox-s3/buckets/seeding.ts";
import { type EngineUnderTest, engineNames, openEngineUnderTest } from "../support/engines-under-test.ts";
import { hostileKeys } from "../support/hostile-keys.ts";

const NO_OBJECT = "0cc175b9c0f1b6a831c399e269772661";
const KINDS: readonly SeedOptions[] = [
  {},
  { contentType: "image/png", metadata: { owner: "one", rot: "90" }, tags: { team: "a", "k e+y": "ü" } },
  { cacheControl: "max-age=1", contentDisposition: "attachment", tags: { only: "tag" } },
  { contentEncoding: "gzip", contentLanguage: "de", expires: "Thu, 01 Jan 2032 00:00:00 GMT" },
  { storageClass: "STANDARD_IA", metadata: { owner: "two" } },
];

describe.each(engineNames)("engine %s", (name) => {
  let engine: EngineUnderTest;
  beforeAll(async () => {
    engine = await openEngineUnderTest(name);
  });
  beforeEach(() => engine.reset());
  afterEach(() => {
    // Whatever a test does: an engine deletes nothing.
    const deletions = ["DeleteObject", "DeleteObjects"] as const;
    expect(deletions.map((operation) => engine.store.requests.count(operation))).toEqual([0, 0]);
  });
  afterAll(() => engine?.close());

  const targetOf = (key: string) => engine.store.getObject("to", key.replace("image/", "avatar/"));
  const versionsOf = (key: string) =>
    engine.store.listVersions("to").filter((one) => one.key === key.replace("image/", "avatar/")).length;
  const only = async (key: string, more: object = {}): Promise<CopyResult | undefined> => {
    const [copy] = engine.requests([key], more);
    return (await engine.results([copy!])).get(copy!.number)?.[0];
  };

  it("copies each request once and reports it, whatever the key, with metadata, tags, headers and class", async () => {
    const plain = Array.from({ length: 60 }, (_, n) => `image/plain/${n}`);
    // The longest key there is keeps its length under a prefix that is one character longer.
    const hostile = hostileKeys.map((key) => `image/${key}`.slice(0, 1023));
    const keys = [...plain, ...hostile];
    for (const [n, key] of keys.entries()) engine.put(key, KINDS[(n * 7 + (n >> 2)) % KINDS.length]);
    const requests = engine.requests(keys);
    const results = await engine.results(requests);
    for (const { number, request } of requests) {
      const given = results.get(number) ?? [];
      expect(given.length).toBeGreaterThanOrEqual(1);
      for (const result of given) expect(result).toEqual({ kind: "copied", etag: request.source.etag });
    }
    expect(results.size).toBe(requests.length);
    for (const key of keys) {
      const source = engine.store.getObject("from", key)!;
      const target = targetOf(key)!;
      expect(target.attributes).toEqual(source.attributes);
      expect(target.tags).toEqual(source.tags);
      expect(target.storageClass).toBe(source.storageClass);
      expect(target.read()).toEqual(source.read());
    }
    expect(engine.store.requests.count("CopyObject")).toBe(keys.length);
    expect(engine.store.countObjects("to")).toBe(keys.length);
  });

  it("copies the asked-for version only", async () => {
    engine.put("image/changed");
    const copies = engine.requests(["image/changed"]);
    engine.store.putObject("from", "image/changed", "newer");
    const results = await engine.results(copies);
    expect([...results.values()].flat()).toEqual([{ kind: "precondition_failed" }]);
    expect(targetOf("image/changed")).toBeUndefined();
  });

  it("reports a source that is gone", async () => {
    engine.put("image/gone");
    const copies = engine.requests(["image/gone"]);
    engine.store.deleteObject("from", "image/gone");
    const results = await engine.results(copies);
    expect([...results.values()].flat()).toEqual([{ kind: "source_gone" }]);
  });

  it("reports an archived source, and one that it may not read", async () => {
    engine.put("image/archived", { storageClass: "GLACIER" });
    expect(await only("image/archived", { storageClass: "GLACIER" })).toMatchObject({
      kind: "failed",
      failure: { code: "needs_restore" },
    });
    // As it looks when an object was archived after it was planned.
    expect(await only("image/archived")).toMatchObject({
      kind: "failed",
      failure: { code: "needs_restore" },
    });
    engine.put("image/denied");
    engine.store.faults.add({ operation: "CopyObject", effect: { type: "access-denied" } });
    expect(await only("image/denied")).toMatchObject({ kind: "failed", failure: { code: "access_denied" } });
    expect(engine.store.countObjects("to")).toBe(0);
  });

  it("replaces nothing, or exactly the object that may be replaced", async () => {
    const key = "image/taken";
    engine.put(key);
    const foreign = engine.store.putObject("to", "avatar/taken", "foreign");
    const other = { onlyIfAbsent: false, replacing: NO_OBJECT };
    expect(await only(key)).toEqual({ kind: "precondition_failed" });
    expect(await only(key, other)).toEqual({ kind: "precondition_failed" });
    expect(targetOf(key)?.read().toString()).toBe("foreign");
    const allowed = { onlyIfAbsent: false, replacing: foreign.etag };
    expect(await only(key, allowed)).toMatchObject({ kind: "copied" });
    expect(targetOf(key)?.read().toString()).toBe(`body of ${key}`);
    // The object that was to be replaced is gone: nothing is put in its place.
    engine.put("image/lost");
    expect(await only("image/lost", other)).toEqual({ kind: "precondition_failed" });
    expect(targetOf("image/lost")).toBeUndefined();
  });

  it("tells nothing that is not so when answers get lost, and makes no second version when it is asked again", async () => {
    const keys = Array.from({ length: 30 }, (_, n) => `image/lost/${n}`);
    for (const key of keys) engine.put(key);
    engine.store.faults.add({
      operation: "CopyObject",
      every: 4,
      times: 12,
      effect: { type: "reset-after" },
    });
    engine.disturb();
    const requests = engine.requests(keys);
    const copied = new Set<number>();
    for (let rounds = 0; rounds < 20 && copied.size < keys.length; rounds += 1) {
      const open = requests.filter(({ number }) => !copied.has(number));
      // Results that were given before it threw are valid.
      const { results } = await engine.attempt(open);
      for (const { number, request } of open) {
        const target = targetOf(request.source.key);
        for (const result of results.get(number) ?? [])
          if (result.kind === "copied") expect(target?.etag).toBe(request.source.etag);
        // As the copy stage, that looks at the bucket.
        if (target !== undefined) copied.add(number);
      }
    }
    expect(copied.size).toBe(keys.length);
    expect(keys.map(versionsOf)).toEqual(keys.map(() => 1));
  }, 60_000);

  it("stops soon after the signal, and begins no copy after that", async () => {
    const keys = Array.from({ length: 400 }, (_, n) => `image/many/${n}`);
    for (const key of keys) engine.put(key);
    engine.store.faults.latencyMs = 20;
    const stop = new AbortController();
    const reached = engine.store.faults.arrival({ operation: "CopyObject" }, 20);
    const attempt = engine.attempt(engine.requests(keys), stop.signal);
    await reached;
    const began = performance.now();
    stop.abort();
    const { error } = await attempt;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(error).toMatchObject({ code: "stopped" });
    const copies = engine.store.requests.count("CopyObject");
    expect(copies).toBeLessThan(keys.length / 2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(engine.store.requests.count("CopyObject")).toBe(copies);
  });

  it("copies nothing when the signal came first", async () => {
    engine.put("image/early");
    const { error } = await engine.attempt(engine.requests(["image/early"]), AbortSignal.abort());
    expect(error).toMatchObject({ code: "stopped" });
    expect(engine.store.requests.count("CopyObject")).toBe(0);
  });
});
