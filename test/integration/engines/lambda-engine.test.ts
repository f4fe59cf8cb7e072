/** The engine `lambda` alone, against the sandbox store and a double of S3 Batch Operations. */

import { setTimeout as pause } from "node:timers/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, it } from "vitest";
import { openControlClient } from "../../../src/engines/aws/control-client.ts";
import { decodeTask } from "../../../src/engines/aws/copy-task.ts";
import { LambdaEngine } from "../../../src/engines/aws/lambda-engine.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { type BatchVariations, variationsOf } from "../../support/aws/batch-variations.ts";
import { ConsignmentWorld, SETTINGS, TERMS } from "../../support/aws/consignment-world.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { credentials } from "../../support/sandbox-client.ts";

const NAMES = Array.from({ length: 40 }, (_, at) => `${at}.jpg`);
const HOSTILE = hostileKeys.filter((key) => key.length < 100).map((key) => `h/${key}`);

let world: ConsignmentWorld;
afterEach(() => world.close());

async function start(variations: Partial<BatchVariations> = {}, names: readonly string[] = NAMES, seed = 1) {
  world = await ConsignmentWorld.start(variations, seed);
  world.seed(names);
  return world;
}

/** All targets exist, each copied once, and each result says so. */
function expectAllCopied(results: ReadonlyMap<number, unknown>) {
  expect(world.store.listKeys("B").sort()).toEqual(
    world.copies.map(({ request }) => request.target.key).sort(),
  );
  expect(new Map([...results].sort(([a], [b]) => a - b))).toEqual(
    new Map(
      world.copies.map(({ number, request }) => [number, { kind: "copied", etag: request.source.etag }]),
    ),
  );
}

/** A consignment that is under way: its job is `Active` and this many copies were asked for. */
async function untilAsked(count: number) {
  while (world.asked.size < count) await pause(2);
}

describe("a consignment", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "is copied whatever Batch Operations does: seed %i",
    async (seed) => {
      await start(variationsOf(seed), [...NAMES, ...HOSTILE], seed);
      const given = world.given();
      expect(await world.carry(given)).toEqual({ kind: "ended" });
      expectAllCopied(given.results);
      expect(world.control.jobs).toHaveLength(1);
      expect(given.progress.at(-1)).toBe(world.copies.length);
    },
  );

  it("is one job with its token, a pinned function and a report of all tasks", async () => {
    await start();
    await world.carry(world.given());
    const [job] = world.control.jobs;
    expect(job?.request).toEqual({
      token: "token-1",
      description: "token-1",
      confirmationRequired: false,
      priority: 10,
      roleArn: SETTINGS.jobRole,
      functionArn: SETTINGS.copyFunction,
      schemaVersion: "2.0",
      userArguments: {
        v: "1",
        token: "token-1",
        sourceBucket: "A",
        sourcePrefix: "avatar%2F",
        targetBucket: "B",
        targetPrefix: "avatars%2Fv2%20%2B%25%2F",
        leastMs: "0",
      },
      manifest: {
        bucket: "ops",
        key: "tranship/job-1/1/manifest.csv",
        etag: world.store.getObject("ops", "tranship/job-1/1/manifest.csv")?.etag,
      },
      report: { bucket: "ops", path: "tranship/job-1/1", scope: "AllTasks" },
    });
  });

  it("has its manifest under S3's own keys, in a bucket whose default is KMS", async () => {
    await start();
    await world.carry(world.given());
    const manifest = world.store.getObject("ops", "tranship/job-1/1/manifest.csv");
    expect(manifest?.serverSideEncryption).toBe("AES256");
  });

  it("with no copies is no job", async () => {
    await start({}, []);
    expect(await world.carry(world.given())).toEqual({ kind: "ended" });
    expect(world.control.jobs).toEqual([]);
  });

  it("gives every outcome of the function, and nothing for copies that were not begun or failed", async () => {
    await start({ redrives: 1 }, ["gone", "changed", "held", "archived", "odd", "broken", "fine"]);
    const outcomes = [
      { kind: "source_gone" },
      { kind: "precondition_failed" },
      { kind: "held" },
      { kind: "failed", code: "needs_restore", message: "archived" },
      { kind: "failed", code: "what is this", message: "odd" },
    ] as const;
    world.outcomeOf = ({ number }) => {
      if (number - 16_384 === 5) throw new Error("the function fails");
      return outcomes[number - 16_384];
    };
    const given = world.given();
    expect(await world.carry(given)).toEqual({ kind: "recalled" });
    expect([...given.results].sort(([a], [b]) => a - b).map(([, result]) => result)).toEqual([
      { kind: "source_gone" },
      { kind: "precondition_failed" },
      { kind: "failed", failure: { code: "needs_restore", message: "archived" } },
      { kind: "failed", failure: { code: "copy_refused", message: "odd" } },
      { kind: "copied", etag: expect.any(String) },
    ]);
  });

  it("says what it waits for, and when copies are made", async () => {
    await start({ newMs: 60, preparingMs: 60, readyMs: 60, pausedMs: 60, reportDelayMs: 100, unknownMs: 20 });
    world.outcomeOf = () => pause(20).then(() => undefined);
    const given = world.given();
    await world.carry(given, {}, { settings: { functionTimeoutMs: 500 } });
    const id = world.control.jobs[0]?.id ?? "";
    const told = given.waits.map((wait) => wait?.detail.replace(id, "J") ?? null);
    expect(told.filter((detail) => detail !== "S3 Batch Operations writes the report of job J")).toEqual([
      "S3 Batch Operations has accepted job J and not begun it",
      "S3 Batch Operations prepares job J",
      "job J of S3 Batch Operations waits for its turn",
      "S3 Batch Operations has paused job J for jobs of higher priority",
      null,
      "the report of job J cannot be used yet: there is none",
      "the last invocations of job J may still be under way",
      null,
    ]);
  });

  it("stops within a second when the process must, and another one takes it over", async () => {
    await start({ concurrency: 2 });
    world.outcomeOf = () => pause(20).then(() => undefined);
    const given = world.given();
    const stop = new AbortController();
    const carried = world.carry(given, {}, { signal: stop.signal });
    await untilAsked(5);
    const at = performance.now();
    stop.abort();
    await expect(carried).rejects.toMatchObject({ code: "stopped" });
    expect(performance.now() - at).toBeLessThan(1000);
    expect(await world.carry(given)).toEqual({ kind: "ended" });
    expectAllCopied(given.results);
    expect(world.control.jobs).toHaveLength(1);
    expect(Math.max(...world.asked.values())).toBe(1);
  });
});

it.each([
  ["the report", { report: "missing" }, { reportWaitMs: 60_000 }],
  ["the last invocation", {}, { functionTimeoutMs: 60_000 }],
] as const)("a process that waits for %s stops within a second", async (what, variations, settings) => {
  await start(variations);
  const given = world.given();
  const stop = new AbortController();
  const carried = world.carry(
    given,
    {},
    { signal: stop.signal, settings: { mostPollMs: 5_000, ...settings } },
  );
  while (!given.waits.at(-1)?.detail.startsWith(what)) await pause(2);
  await pause(50);
  const at = performance.now();
  stop.abort();
  await expect(carried).rejects.toMatchObject({ code: "stopped" });
  expect(performance.now() - at).toBeLessThan(1000);
});

describe("a report", () => {
  it("that comes late is taken in", async () => {
    await start({ reportDelayMs: 500 });
    const given = world.given();
    expect(await world.carry(given)).toEqual({ kind: "ended" });
    expectAllCopied(given.results);
  });

  it.each(["missing", "torn", "foreign", "short"] as const)(
    "that is %s leaves copies unanswered",
    async (report) => {
      await start({ report });
      const given = world.given();
      expect(await world.carry(given, {}, { settings: { reportWaitMs: 200 } })).toEqual({ kind: "ended" });
      expect(given.results.size).toBe(0);
      expect(world.store.countObjects("B")).toBe(NAMES.length);
    },
  );

  it("is believed row by row: those that were not asked for give nothing", async () => {
    await start();
    const given = world.given();
    const [first, ...others] = world.copies;
    const changed = {
      ...first!,
      request: { ...first!.request, source: { ...first!.request.source, etag: "x" } },
    };
    // The ledger holds another version of the first object than the one that was sent.
    let reads = 0;
    await world.carry(given, {
      async *copies() {
        reads += 1;
        yield reads === 1 ? first! : changed;
        yield* others;
      },
    });
    expect(reads).toBe(2);
    expect([...given.results.keys()].sort()).toEqual(others.map(({ number }) => number));
  });
});

describe("an end", () => {
  it("waits until the last invocation has ended", async () => {
    await start({ endsBeforeInvocations: true, concurrency: 4 });
    world.outcomeOf = () => pause(150).then(() => undefined);
    const given = world.given();
    const recall = new AbortController();
    const carried = world.carry(given, { recall: recall.signal }, { settings: { functionTimeoutMs: 400 } });
    await untilAsked(6);
    recall.abort();
    expect(await carried).toEqual({ kind: "recalled" });
    expect(world.control.jobs[0]?.invocationsUnderWay).toBe(0);
    const { size } = world.asked;
    await pause(100);
    expect(world.asked.size).toBe(size);
  });

  it("is broken when the manifest was replaced before the job read it", async () => {
    await start({ preparingMs: 100, newMs: 100 });
    const carried = world.carry(world.given());
    while (world.control.jobs.length === 0) await pause(2);
    const at = { Bucket: "ops", Key: world.control.jobs[0]!.request.manifest.key };
    await world.s3.send(new PutObjectCommand({ ...at, Body: "A,x\n" }));
    expect(await carried).toEqual({ kind: "broken", reason: expect.stringMatching(/failed: .*manifest/) });
    expect(world.asked.size).toBe(0);
  });

  it("is broken when somebody else cancels the job; what was copied is told", async () => {
    await start({ concurrency: 1 });
    world.outcomeOf = () => pause(5).then(() => undefined);
    const given = world.given();
    const carried = world.carry(given);
    await untilAsked(5);
    world.control.jobs[0]?.update("Cancelled", "cleaning up");
    expect(await carried).toEqual({
      kind: "broken",
      reason: `job ${world.control.jobs[0]?.id} of S3 Batch Operations was cancelled from outside: cleaning up`,
    });
    expect(given.results.size).toBe(world.store.countObjects("B"));
    expect(given.results.size).toBeGreaterThan(3);
  });

  it("is broken when the job was removed", async () => {
    await start({ concurrency: 1 });
    world.outcomeOf = () => pause(5).then(() => undefined);
    const given = world.given();
    const stop = new AbortController();
    const carried = world.carry(given, {}, { signal: stop.signal });
    await untilAsked(5);
    stop.abort();
    await expect(carried).rejects.toMatchObject({ code: "stopped" });
    world.control.remove(world.control.jobs[0]!);
    const saved = JSON.parse(given.saved.at(-1)!);
    given.saved.push(JSON.stringify({ ...saved, since: saved.since - 121_000 }));
    expect(await world.carry(given)).toEqual({
      kind: "broken",
      reason: expect.stringContaining("does not exist"),
    });
  });

  it("comes by itself when a tenth of the tasks failed, long before S3's half of a thousand", async () => {
    const names = Array.from({ length: 1500 }, (_, at) => `${at}`);
    await start({ concurrency: 3 }, names);
    world.outcomeOf = async ({ number }) => {
      await pause(1);
      if (number % 8 === 0) throw new Error("Runtime exited");
      return undefined;
    };
    const given = world.given();
    const end = await world.carry(given);
    expect(end).toEqual({
      kind: "broken",
      reason: expect.stringMatching(/was cancelled: Tranship: too many tasks failed .*Runtime exited/),
    });
    const { succeeded, failed } = world.control.jobs[0]!.counts;
    expect(succeeded + failed).toBeGreaterThanOrEqual(100);
    expect(succeeded + failed).toBeLessThan(1000);
    expect(given.results.size).toBe(succeeded);
  });

  it("does not come for one failed task in thirty", async () => {
    const names = Array.from({ length: 330 }, (_, at) => `${at}`);
    await start({ concurrency: 3 }, names);
    world.outcomeOf = async ({ number }) => {
      await pause(1);
      if (number % 30 === 0) throw new Error("no");
      return undefined;
    };
    const given = world.given();
    expect(await world.carry(given)).toEqual({ kind: "ended" });
    expect(given.results.size).toBe(319);
  });
});

describe("a recall", () => {
  it.each([
    ["while the job is prepared", { preparingMs: 1_500 }, 0],
    ["while copies are made", { concurrency: 2 }, 10],
  ] as const)("%s reaches S3 within 5 s; what was copied is told", async (_, variations, asked) => {
    await start(variations);
    world.outcomeOf = () => pause(10).then(() => undefined);
    const given = world.given();
    const recall = new AbortController();
    const carried = world.carry(given, { recall: recall.signal }, { settings: { mostPollMs: 5_000 } });
    while (world.control.jobs.length === 0) await pause(2);
    await untilAsked(asked);
    const at = performance.now();
    recall.abort();
    while (world.control.jobs[0]?.reason === "") await pause(2);
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(await carried).toEqual({ kind: "recalled" });
    expect(given.results.size).toBe(world.store.countObjects("B"));
    expect(world.store.countObjects("B")).toBeLessThan(NAMES.length);
  });

  it("reaches S3 although a look at the job hangs", async () => {
    await start({ preparingMs: 1_500 });
    const recall = new AbortController();
    world.control.breakNext("DescribeJob", "hangs");
    const carried = world.carry(world.given(), { recall: recall.signal });
    while (world.control.requests.DescribeJob === 0) await pause(2);
    const at = performance.now();
    recall.abort();
    while (world.control.jobs[0]?.reason === "") await pause(2);
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(await carried).toEqual({ kind: "recalled" });
  });

  it("is confirmed only when S3 knows the job: one that was just created may be unknown, and goes on", async () => {
    await start({ unknownMs: 1_500, preparingMs: 4_000 });
    const recall = new AbortController();
    const told: string[] = [];
    const onRecalled = () => void told.push(world.control.jobs[0]?.reason ?? "");
    const carried = world.carry(world.given(), { recall: recall.signal, onRecalled });
    while (world.control.jobs.length === 0) await pause(2);
    recall.abort();
    expect(await carried).toEqual({ kind: "recalled" });
    expect(told.length).toBeGreaterThan(0);
    expect(told).not.toContain("");
  });

  it("is repeated while S3 has no answer, and not for a job that has ended", async () => {
    await start({ preparingMs: 1_000 });
    const recall = new AbortController();
    world.control.breakNext("UpdateJobStatus", { status: 503, code: "SlowDown" }, 2);
    const carried = world.carry(world.given(), { recall: recall.signal });
    while (world.control.jobs.length === 0) await pause(2);
    recall.abort();
    expect(await carried).toEqual({ kind: "recalled" });
    expect(world.control.requests.UpdateJobStatus).toBe(3);
    const given = world.given();
    given.saved.push(
      JSON.stringify({ v: 1, stage: "job", manifest: {}, jobId: world.control.jobs[0]!.id, since: 0 }),
    );
    expect(await world.carry(given, { recall: recall.signal })).toEqual({ kind: "recalled" });
  });

  it("before anything was sent leaves nothing, and no job", async () => {
    await start();
    const recall = AbortSignal.abort();
    const given = world.given();
    expect(await world.carry(given, { recall })).toEqual({ kind: "recalled" });
    expect(world.control.requests.CreateJob).toBe(0);
    expect(given.saved).toEqual([]);
    expect(world.store.listKeys("ops")).toEqual([]);
  });

  it("while the manifest is recorded sends no request for a job", async () => {
    await start();
    const recall = new AbortController();
    const given = world.given();
    const save = async (progress: string) => {
      given.saved.push(progress);
      recall.abort();
    };
    expect(await world.carry(given, { recall: recall.signal, save })).toEqual({ kind: "recalled" });
    expect(world.control.requests.CreateJob).toBe(0);
  });

  it("while a large manifest is written leaves no upload, and no job", async () => {
    await start();
    const recall = new AbortController();
    const { copies } = world;
    const given = world.given();
    const order = {
      recall: recall.signal,
      async *copies() {
        for (let round = 0; round < 3_000; round++) yield* copies;
        recall.abort();
        for (;;) yield* copies;
      },
    };
    const end = await world.carry(given, order, { settings: { partBytes: 5 * 2 ** 20 } });
    expect(end).toEqual({ kind: "recalled" });
    expect(world.store.listUploads("ops")).toEqual([]);
    expect(world.store.requests.count("UploadPart")).toBe(1);
    expect(world.control.requests.CreateJob).toBe(0);
  });

  it("is recognised as one after the process that told S3 of it has ended", async () => {
    await start({ preparingMs: 300 });
    const given = world.given();
    const recall = new AbortController();
    const stop = new AbortController();
    const carried = world.carry(given, { recall: recall.signal }, { signal: stop.signal });
    while (world.control.jobs.length === 0) await pause(2);
    recall.abort();
    while (world.control.jobs[0]?.reason === "") await pause(2);
    stop.abort();
    await expect(carried).rejects.toMatchObject({ code: "stopped" });
    expect(await world.carry(given)).toEqual({ kind: "recalled" });
  });

  it("is recognised by the process that made it where S3 does not tell the reason", async () => {
    await start({ preparingMs: 300, tellsReason: false });
    const recall = new AbortController();
    const carried = world.carry(world.given(), { recall: recall.signal });
    while (world.control.jobs.length === 0) await pause(2);
    recall.abort();
    expect(await carried).toEqual({ kind: "recalled" });
  });

  it("comes by itself when the time ends: what was not begun is held, and nothing begins later", async () => {
    await start({ concurrency: 1 });
    const begun: number[] = [];
    world.outcomeOf = async () => {
      begun.push(Date.now());
      await pause(20);
      return undefined;
    };
    const notAfter = Date.now() + 500;
    const given = world.given();
    expect(await world.carry(given, {}, { notAfter })).toEqual({ kind: "recalled" });
    expect(world.control.jobs[0]?.reason).toBe("Tranship: no copy may begin any more");
    expect(given.results.size).toBe(world.store.countObjects("B"));
    expect(given.results.size).toBeLessThan(NAMES.length);
    expect(world.control.jobs[0]?.request.userArguments.notAfter).toBe(String(notAfter));
  });

  it("is what a job with held copies ended by, even if S3 has worked through it", async () => {
    await start();
    world.outcomeOf = ({ number }) => (number % 2 === 0 ? { kind: "held" } : undefined);
    const given = world.given();
    expect(await world.carry(given)).toEqual({ kind: "recalled" });
    expect(world.control.jobs[0]?.status).toBe("Complete");
    expect(given.results.size).toBe(NAMES.length / 2);
  });
});

describe("trouble", () => {
  it("that passes is repeated: lost answers, throttling, errors of S3", async () => {
    await start();
    const busy = { status: 503, code: "SlowDown" };
    world.control.breakNext("CreateJob", "lost", 2);
    world.control.breakNext("CreateJob", { status: 400, code: "TooManyRequestsException" });
    world.control.breakNext("DescribeJob", { status: 500, code: "InternalServiceException" }, 2);
    world.control.breakNext("DescribeJob", busy);
    world.control.breakNext("DescribeJob", "lost");
    const given = world.given();
    expect(await world.carry(given)).toEqual({ kind: "ended" });
    expectAllCopied(given.results);
    expect(world.control.jobs).toHaveLength(1);
    expect(world.control.requests.CreateJob).toBe(4);
  });

  it("that does not pass is engine_unavailable, and the job is taken up again later", async () => {
    await start();
    world.control.breakNext("DescribeJob", { status: 503, code: "SlowDown" }, 100);
    const given = world.given();
    await expect(world.carry(given, {}, { settings: { patienceMs: 300 } })).rejects.toMatchObject({
      code: "engine_unavailable",
      message: expect.stringMatching(/looking at job .*SlowDown/),
    });
    expect(world.control.jobs).toHaveLength(1);
  });

  it("with a right is engine_refused at once, with the request that lacks it", async () => {
    await start();
    world.control.breakNext("CreateJob", { status: 403, code: "AccessDenied" });
    await expect(world.carry(world.given())).rejects.toMatchObject({
      code: "engine_refused",
      message: expect.stringMatching(/creating an S3 Batch Operations job \(AccessDenied/),
    });
    expect(world.control.requests.CreateJob).toBe(1);
  });

  it("with the bucket of manifests is engine_refused, and no job is made", async () => {
    await start();
    const settings = { manifests: { bucket: "nowhere", prefix: "" } };
    await expect(world.carry(world.given(), {}, { settings })).rejects.toMatchObject({
      code: "engine_refused",
      message: expect.stringMatching(/writing the manifest nowhere\/job-1\/1\/manifest.csv \(NoSuchBucket/),
    });
    expect(world.control.requests.CreateJob).toBe(0);
  });

  it("with arguments that are too long or a rate that cannot be held is refused before anything is written", async () => {
    await start();
    const limits = { concurrency: 1000, requestsPerSecond: 10 };
    await expect(
      world.carry(world.given(), { limits }, { settings: { functionTimeoutMs: 60_000 } }),
    ).rejects.toMatchObject({
      code: "engine_refused",
      message: expect.stringContaining("100000 ms"),
    });
    expect(world.store.listKeys("ops")).toEqual([]);
  });
});

it("the double is reached by an endpoint of the configuration too", async () => {
  await start();
  const endpoint = `http://127.0.0.1:${world.control.port}`;
  const control = openControlClient({ endpoint, region: "us-east-1", credentials });
  const parts = { control, s3: world.s3, clock: systemClock, settings: SETTINGS, terms: TERMS };
  const given = world.given();
  const end = await new LambdaEngine(parts).carry(
    world.order(given),
    (number, result) => void given.results.set(number, result),
    new AbortController().signal,
  );
  control.destroy();
  expect(end).toEqual({ kind: "ended" });
  expectAllCopied(given.results);
});

it("a rate and its concurrency are the shortest duration of invocations", async () => {
  await start();
  const limits = { concurrency: 30, requestsPerSecond: 90 };
  await world
    .carry(world.given(), { limits }, { settings: { functionTimeoutMs: 700, reportWaitMs: 1 } })
    .catch(() => {});
  expect(world.control.jobs[0]?.request.userArguments.leastMs).toBe("334");
});

it("a field of the manifest is what the function is given, byte for byte", async () => {
  await start({}, HOSTILE);
  await world.carry(world.given());
  const manifest = world.store.getObject("ops", "tranship/job-1/1/manifest.csv")?.read().toString() ?? "";
  const lines = manifest.trimEnd().split("\n");
  expect(lines.map((line) => decodeTask(line.split(",")[1] ?? "")?.key)).toEqual(
    HOSTILE.map((name) => TERMS.sourcePrefix + name),
  );
  expect(manifest).toMatch(/^(A,[\w.~%-]+\n)+$/);
});
