/** Credentials that expire in mid-job are renewed, or the job pauses and says why; no object suffers either way. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { noRequests, type ObjectStore } from "../../../src/ports/object-store.ts";
import type { SandboxKeys } from "../../../src/sandbox-s3/protocol/accepted-credentials.ts";
import { expectMoved } from "../../support/expect-moved.ts";
import {
  type CredentialsService,
  startCredentialsService,
} from "../../support/servers/credentials-service.ts";
import { type Refusal, type StsService, startStsService } from "../../support/servers/sts-service.ts";
import {
  fillStore,
  imageKeys,
  openWorkbench,
  WORKBENCH_KEYS,
  type Workbench,
} from "../../support/worlds/workbench.ts";

const keys = imageKeys(60);
const first: SandboxKeys = { accessKeyId: "first", secretAccessKey: "secret-1", sessionToken: "token-1" };
const second: SandboxKeys = { accessKeyId: "second", secretAccessKey: "secret-2", sessionToken: "token-2" };
/** Every request a job sends, at every stage, meets the end of the credentials in one of the cases. */
const MOMENTS = [
  ["while planning", { operation: "ListObjectsV2", bucket: "bucket-a", nth: 3 }],
  ["while copying", { operation: "CopyObject", nth: 25 }],
  ["while verifying", { operation: "ListObjectsV2", bucket: "bucket-b", nth: 2 }],
  ["while deleting", { operation: "DeleteObjects", nth: 1 }],
] as const;

let bench: Workbench;

function fill(): void {
  fillStore(bench.store, "bucket-a", keys);
  bench.addRows(keys);
}

/** A workbench that has no credentials but those the SDK finds by `environment`. */
async function openWith(
  environment: Readonly<Record<string, string | undefined>>,
  credentialsMs: number,
): Promise<void> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  bench = await openWorkbench({
    connect: { accessKeyId: null, secretAccessKey: null },
    patience: { credentialsMs },
  });
  bench.store.credentials.revoke(WORKBENCH_KEYS.accessKeyId);
  bench.store.credentials.grant(first);
  bench.store.credentials.grant(second);
  fill();
}

/** Ends `ended` when the request of `moment` arrives, which is then refused with all that follow. */
function expireAt(moment: (typeof MOMENTS)[number][1], ended: SandboxKeys, then = () => {}): void {
  let seen = 0;
  const when = () => {
    seen += 1;
    if (seen !== moment.nth) return false;
    bench.store.credentials.expire(ended.accessKeyId);
    then();
    return true;
  };
  const { nth: _, ...match } = moment;
  const effect = { type: "error", status: 400, code: "ExpiredToken" } as const;
  bench.store.faults.add({ ...match, when, effect });
}

describe("credentials of the SDK's provider chain that expire", () => {
  let provider: CredentialsService;

  beforeEach(async () => {
    provider = await startCredentialsService(first);
    await openWith(provider.environment, 1_500);
  });
  afterEach(async () => {
    await bench.close();
    provider.close();
    vi.unstubAllEnvs();
  });

  it.each(MOMENTS)("%s are replaced by those the provider has now", async (_, moment) => {
    const id = await bench.submit({ batchSize: 20, inventory: { from: "bucket" } });
    expireAt(moment, first, () => {
      provider.keys = second;
    });
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 60, exceptions: 0 } });
    await expectMoved(bench, keys, { credentials: second });
    expect(provider.asked()).toBeLessThan(10);
  });

  it.each<[string, (store: ObjectStore) => Promise<unknown>]>([
    ["listing", (store) => store.list({ bucket: "bucket-a", prefix: "", startAfter: null, limit: 10 })],
    ["looking at an object", (store) => store.head({ bucket: "bucket-a", key: keys[0] ?? "" })],
    ["looking at a bucket", (store) => store.bucketFacts("bucket-a")],
    ["deleting", (store) => store.deleteObjects("bucket-a", [{ key: "image/none", etag: "none" }])],
    [
      "reading",
      (store) =>
        store
          .read({ bucket: "bucket-a", key: keys[0] ?? "" })
          [Symbol.asyncIterator]()
          .next(),
    ],
  ])("are replaced within the call when %s", async (_, call) => {
    const store = bench.parts.connections.store("main", noRequests());
    await store.ping();
    bench.store.credentials.expire(first.accessKeyId);
    provider.keys = second;
    await call(store);
  });

  it("are awaited while the provider has none, without a pause", async () => {
    const id = await bench.submit({ batchSize: 20 });
    expireAt(MOMENTS[1][1], first, () => {
      provider.keys = null;
      setTimeout(() => {
        provider.keys = second;
      }, 600);
    });
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 60, exceptions: 0 } });
    await expectMoved(bench, keys, { credentials: second });
  });

  it.each(MOMENTS)("%s and stay so pause the job, which goes on when it is resumed", async (_, moment) => {
    const id = await bench.submit({ batchSize: 20, inventory: { from: "bucket" } });
    expireAt(moment, first);
    const paused = await bench.work(id);
    expect(paused).toMatchObject({ state: "paused", objects: { exceptions: 0 } });
    expect(paused.reason).toMatch(
      /^Store "main": .*credentials have expired.*ExpiredToken.*Then resume the job\.$/,
    );
    expect(await bench.exceptions(id)).toEqual({});
    provider.keys = second;
    await bench.jobs.act(id, "resume", "test");
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 60, exceptions: 0 } });
    await expectMoved(bench, keys, { credentials: second });
  });
});

describe("credentials of a role", () => {
  let sts: StsService;

  beforeEach(async () => {
    sts = await startStsService(first);
    await openWith(sts.environment, 300);
  });
  afterEach(async () => {
    await bench.close();
    sts.close();
    vi.unstubAllEnvs();
  });

  /** STS answers so as soon as some objects have been copied. */
  function refuseInMidJob(refusal: Refusal): void {
    bench.store.faults.add({
      operation: "CopyObject",
      when: () => {
        if (bench.store.countObjects("bucket-b") >= 25) sts.refusal = refusal;
        return false;
      },
      effect: { type: "internal-error" },
    });
  }

  it.each([
    { status: 403, code: "AccessDenied" },
    { status: 400, code: "InvalidIdentityToken" },
  ])(
    "that STS refuses to renew pause the job, and no object is taken for refused: $code",
    async (refusal) => {
      const id = await bench.submit({ batchSize: 20, inventory: { from: "bucket" } });
      refuseInMidJob(refusal);
      const paused = await bench.work(id);
      expect(await bench.exceptions(id)).toEqual({});
      expect(paused).toMatchObject({ state: "paused", objects: { exceptions: 0 } });
      expect(paused.reason).toMatch(/^Store "main": .*credentials .*cannot be had.*Then resume the job\.$/);
      bench.store.faults.clear();
      sts.refusal = null;
      await bench.jobs.act(id, "resume", "test");
      expect(await bench.work(id)).toMatchObject({
        state: "completed",
        objects: { moved: 60, exceptions: 0 },
      });
      await expectMoved(bench, keys, { credentials: first });
    },
  );

  it.each([
    { status: 503, code: "ServiceUnavailable" },
    { status: 400, code: "Throttling" },
    { status: 400, code: "IDPCommunicationError" },
  ])("that STS cannot renew just now are waited for: $code", async (refusal) => {
    const id = await bench.submit({ batchSize: 20, inventory: { from: "bucket" } });
    refuseInMidJob(refusal);
    const run = bench.work(id);
    await vi.waitFor(() => expect(sts.refusal).not.toBeNull(), 10_000);
    bench.store.faults.clear();
    // Longer than refused credentials are waited for here.
    await sleep(800);
    sts.refusal = null;
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 60, exceptions: 0 } });
    await expectMoved(bench, keys, { credentials: first });
  });
});

describe("configured credentials", () => {
  beforeEach(async () => {
    bench = await openWorkbench({ patience: { credentialsMs: 300 } });
    fill();
  });
  afterEach(() => bench.close());

  it("that somebody deletes in mid-job pause it, and it goes on when they are back", async () => {
    const id = await bench.submit({ batchSize: 20 });
    bench.store.faults.add({
      operation: "CopyObject",
      when: () => {
        if (bench.store.countObjects("bucket-b") < 25) return false;
        bench.store.credentials.revoke(WORKBENCH_KEYS.accessKeyId);
        return false;
      },
      effect: { type: "internal-error" },
    });
    const paused = await bench.work(id);
    expect(paused).toMatchObject({ state: "paused", objects: { exceptions: 0 } });
    expect(paused.reason).toContain("InvalidAccessKeyId");
    bench.store.faults.clear();
    bench.store.credentials.grant(WORKBENCH_KEYS);
    await bench.jobs.act(id, "resume", "test");
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 60, exceptions: 0 } });
    await expectMoved(bench, keys);
  });

  it("that expired make no exception of objects that are looked at one by one, without a word of why", async () => {
    // Scattered keys are looked at by HEAD, whose refusal is a bare 400.
    const id = await bench.submit({ inventory: { from: "database" }, maxObjects: 5 });
    bench.store.credentials.expire(WORKBENCH_KEYS.accessKeyId);
    expect(await bench.work(id)).toMatchObject({ state: "paused", objects: { exceptions: 0 } });
    const at = { bucket: "bucket-a", key: keys[0] ?? "" };
    const look = bench.parts.connections.store("main", noRequests()).head(at);
    await expect(look).rejects.toMatchObject({ details: { vendorCode: "ExpiredToken" } });
  });

  it("that are wrong from the start are refused at once, naming the store", async () => {
    bench.store.credentials.expire(WORKBENCH_KEYS.accessKeyId);
    const begun = performance.now();
    await expect(bench.submit()).rejects.toMatchObject({
      code: "invalid_input",
      faults: expect.arrayContaining([
        expect.objectContaining({
          code: "store_credentials",
          message: expect.stringContaining('Store "main"'),
        }),
      ]),
    });
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});
