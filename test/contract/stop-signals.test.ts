/**
 * Every operation against every endless trouble, by the real adapters: a stop signal ends it within a second. What is
 * under way at that moment is waited for: a request that has begun is never cut short, and hangs for 60 s at most.
 */

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RateLimit } from "../../src/domain/rates/rate-limit.ts";
import { GovernedObjectStore } from "../../src/pacing/governed-object-store.ts";
import { BucketGovernor } from "../../src/pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../src/pacing/rates/fair-queue.ts";
import { JobStallDetectors } from "../../src/pacing/stall-detector.ts";
import { noRequests, type ObjectStore } from "../../src/ports/object-store.ts";
import type { SandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";
import { csvManifest } from "../../src/stores/manifest/csv-manifest.ts";
import { openS3Client } from "../../src/stores/s3/client/s3-client.ts";
import { S3ObjectStore } from "../../src/stores/s3/s3-object-store.ts";
import { systemClock } from "../../src/stores/system-clock.ts";
import { until } from "../support/bystander.ts";
import { emptySandbox, seedIn } from "./object-store/object-store-seeds.ts";
import { openStore, startSandbox } from "./object-store/object-store-under-test.ts";
import { MIB } from "./object-store/object-store-uploads.ts";

let under: Awaited<ReturnType<typeof startSandbox>>;
let sandbox: SandboxStore;
let store: GovernedObjectStore;
beforeAll(async () => {
  under = await startSandbox();
  sandbox = under.sandbox;
});
afterAll(() => under.close());
beforeEach(() => {
  emptySandbox(sandbox);
  const inParts = { multipartCopyBytes: MIB, parts: { partBytes: 5 * MIB, partConcurrency: 2 } };
  store = governed(openStore(under, inParts).store);
});

function governed(ungoverned: ObjectStore): GovernedObjectStore {
  const governor = new BucketGovernor();
  return new GovernedObjectStore({
    store: ungoverned,
    clock: systemClock,
    fairQueue: new FairQueue(systemClock),
    requestLimits: [new RateLimit(null)],
    byteLimits: [new RateLimit(null)],
    governorOf: () => governor,
    stalls: new JobStallDetectors().stores,
  });
}

const LARGE = { size: 11 * MIB, seed: 3 };

/** What is done until a signal aborts. */
const OPERATIONS: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
  list: (signal) => store.list({ bucket: "src", prefix: "", startAfter: null, limit: 1000 }, signal),
  head: (signal) => store.head({ bucket: "src", key: "k" }, { checksums: true }, signal),
  "copy in one request": (signal) => store.copy(seedIn(sandbox, "k"), signal),
  "copy in parts": (signal) => store.copy(seedIn(sandbox, "k", { tags: { a: "b" } }, LARGE), signal),
  "finish a copy in parts": async (signal) => {
    const request = seedIn(sandbox, "k", { tags: { a: "b" } }, LARGE);
    const { etag } = sandbox.putObject("dst", "k", LARGE, {});
    return store.finishCopy(request, etag, signal);
  },
  "delete, again and again": async (signal) => {
    // As the delete stage does: what did not come through is sent again after a wait.
    for (;;) {
      await store.reserveWrites("src", 1, signal);
      await store
        .deleteObjects(
          "src",
          [
            { key: "k", etag: "e" },
            { key: "\u0001", etag: "e" },
          ],
          signal,
        )
        .catch(passing);
      await systemClock.sleep(50, signal);
    }
  },
  "read a manifest": async (signal) => {
    const keys = csvManifest(store).keys({ bucket: "src", key: "k" }, "src", 0, signal);
    for await (const _ of keys) signal.throwIfAborted();
  },
  "look at a bucket": (signal) => store.bucketFacts("src", signal),
  write: (signal) => store.write({ bucket: "dst", key: "k" }, Buffer.from("body"), signal),
};

function passing(error: { readonly code?: string }): void {
  if (error.code !== "store_throttled" && error.code !== "store_unavailable") throw error;
}

const TROUBLES = {
  "503 without end": { type: "slow-down" },
  "500 without end": { type: "internal-error" },
  "connections that are reset": { type: "reset-before" },
  "answers that are lost": { type: "reset-after" },
  "empty answers": { type: "empty-200" },
  "errors inside a 200": { type: "error-in-200" },
} as const;

/** Aborts `operation` when `isTroubled`, and expects it to end within a second, however. */
async function expectEnd(
  operation: (signal: AbortSignal) => Promise<unknown>,
  isTroubled: () => boolean,
): Promise<void> {
  const stop = new AbortController();
  let hasEnded = false;
  const ended = operation(stop.signal).then(
    () => null,
    (error: unknown) => error,
  );
  void ended.then(() => {
    hasEnded = true;
  });
  await until(() => hasEnded || isTroubled(), 10_000);
  const stoppedAt = performance.now();
  stop.abort();
  await until(() => hasEnded, 3_000);
  expect(performance.now() - stoppedAt).toBeLessThan(1_000);
}

describe.each(Object.entries(OPERATIONS))("%s", (_, operation) => {
  it.each(Object.entries(TROUBLES))("under %s ends at a stop", async (__, effect) => {
    sandbox.putObject("src", "k", "src,image%2Fa.png\n");
    const fault = sandbox.faults.add({ effect });
    await expectEnd(operation, () => fault.fired >= 3);
  });
});

describe("what a copy in parts cleans up", () => {
  it("is tried once more when the job stops, and not for ever: an upload that cannot be aborted", async () => {
    sandbox.faults.add({ operation: "UploadPartCopy", effect: { type: "access-denied" } });
    const fault = sandbox.faults.add({ operation: "AbortMultipartUpload", effect: { type: "slow-down" } });
    await expectEnd(OPERATIONS["copy in parts"] as never, () => fault.fired >= 2);
    expect(fault.fired).toBeGreaterThanOrEqual(2);
  });

  it("is tried once more when the job stops, and not for ever: tags that cannot be looked at", async () => {
    const fault = sandbox.faults.add({
      operation: "HeadObject",
      bucket: "dst",
      when: () => sandbox.countObjects("dst") > 0,
      effect: { type: "slow-down" },
    });
    await expectEnd(OPERATIONS["copy in parts"] as never, () => fault.fired >= 2);
    expect(fault.fired).toBeGreaterThanOrEqual(2);
  });
});

describe("deletions of which single keys fail", () => {
  it("end at a stop", async () => {
    const fault = sandbox.faults.add({
      operation: "DeleteObjects",
      effect: { type: "key-error", code: "SlowDown" },
    });
    await expectEnd(OPERATIONS["delete, again and again"] as never, () => fault.fired >= 2);
  });
});

describe("a manifest without end", () => {
  /** A store whose object never ends: `chunk` for ever, or, with `then`, nothing more after the first. */
  const endless = (chunk: Buffer, then: "more" | "silence"): ObjectStore =>
    ({
      async *read() {
        for (;;) {
          yield chunk;
          if (then === "silence") await new Promise(() => {});
          await new Promise((soon) => setImmediate(soon));
        }
      },
    }) as unknown as ObjectStore;
  const skipped = Buffer.from("src,other%2Fkey.png\n".repeat(100));

  it.each([
    ["of keys that are not wanted", "list.csv", skipped, "more"],
    ["that says nothing more", "list.csv", skipped, "silence"],
    ["that is packed", "list.csv.gz", gzipSync(skipped), "silence"],
  ] as const)("%s ends at a stop", async (_, key, chunk, then) => {
    const reader = csvManifest(governed(endless(chunk, then)));
    const begun = performance.now();
    const operation = async (signal: AbortSignal) => {
      // As the inventory does with keys outside the prefix: it asks for the next one.
      for await (const __ of reader.keys({ bucket: "src", key }, "src", 0, signal));
    };
    await expectEnd(operation, () => performance.now() - begun > 500);
  });
});

describe("credentials whose provider never answers", () => {
  it.each(["list", "copy in one request", "copy in parts"])("in %s end at a stop", async (name) => {
    const { endpoint } = under;
    const client = openS3Client({ endpoint, forcePathStyle: true, accessKeyId: "a", secretAccessKey: "b" });
    client.config.credentials = () => new Promise(() => {});
    store = governed(new S3ObjectStore({ client, endpoint, counts: noRequests(), multipartCopyBytes: MIB }));
    const begun = performance.now();
    await expectEnd(OPERATIONS[name] as never, () => performance.now() - begun > 300);
  });
});
