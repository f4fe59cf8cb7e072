/** Function 1 as it is packaged, in processes as Lambda's, on a store that keeps to conditions. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { SeedOptions } from "../../src/sandbox-s3/buckets/seeding.ts";
import type { FaultEffect } from "../../src/sandbox-s3/faults/fault-rules.ts";
import { type SandboxStore, startSandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";
import {
  copyEvent,
  type GivenTask,
  outcomesOf,
  packageOf,
  resultsOf,
  startCopyFunction,
} from "../support/aws/copy-function.ts";
import type { LambdaRuntime } from "../support/aws/lambda-runtime.ts";
import { hostileKeys } from "../support/hostile-keys.ts";

const KEYS = { accessKeyId: "function-id", secretAccessKey: "function-secret" };
const TERMS = {
  token: "token",
  sourceBucket: "from",
  sourcePrefix: "image/",
  targetBucket: "to",
  targetPrefix: "avatar/",
  notAfter: null,
  leastMs: 0,
  copyLogs: null,
  updates: null,
};
const TIMEOUT_MS = 12_000;

let zip: Uint8Array;
let store: SandboxStore;
let runtime: LambdaRuntime;

const start = (timeoutMs = TIMEOUT_MS) =>
  startCopyFunction(
    zip,
    { ...KEYS, endpoint: store.url, region: "us-east-1" },
    { concurrency: 1, timeoutMs },
  );

beforeAll(async () => {
  zip = await packageOf("copy-object");
  store = await startSandboxStore({ ...KEYS, buckets: [{ name: "from" }, { name: "to", versioned: true }] });
  runtime = start();
}, 120_000);

beforeEach(() => store.requests.reset());

afterEach(() => {
  store.faults.clear();
  // In every test: no other request than these, and so no deletion.
  const { CopyObject: _, HeadObject: __, ...others } = store.requests.byOperation();
  expect(others).toEqual({});
});

afterAll(async () => {
  await runtime?.close();
  await store?.close();
});

/** Puts an object and gives the task that copies it. */
function put(name: string, options?: SeedOptions, body = `body of ${name}`): GivenTask {
  const key = `image/${name}`;
  const { etag } = store.putObject("from", key, body, options);
  return { key, etag, size: Buffer.byteLength(body), storageClass: options?.storageClass ?? null };
}

const targetOf = ({ key }: GivenTask) => store.getObject("to", `avatar/${key.slice("image/".length)}`);
const invoke = (...tasks: GivenTask[]) => runtime.invoke(copyEvent(TERMS, tasks));
const outcomeOf = async (task: GivenTask) => outcomesOf(await invoke(task))[0];
const copies = () => store.requests.count("CopyObject");
const versionsOf = ({ key }: GivenTask) =>
  store.listVersions("to").filter((one) => one.key === key.replace("image/", "avatar/")).length;

it("keeps of each object what is its own, when many follow one another in one warm process", async () => {
  const before = runtime.started;
  const kinds: SeedOptions[] = [
    {},
    { contentType: "image/png", metadata: { owner: "one", rot: "90" }, tags: { team: "a", "k e+y": "ü" } },
    { cacheControl: "max-age=1", contentDisposition: "attachment", tags: { only: "tag" } },
    { contentEncoding: "gzip", contentLanguage: "de", expires: "Thu, 01 Jan 2032 00:00:00 GMT" },
    { storageClass: "STANDARD_IA", metadata: { owner: "two" } },
    { storageClass: "INTELLIGENT_TIERING", contentType: "text/plain; charset=utf-8" },
  ];
  const tasks = Array.from({ length: 60 }, (_, n) =>
    put(`own/${n}`, kinds[(n * 7 + (n >> 2)) % kinds.length]),
  );
  const [single, several] = [tasks.slice(0, 40), tasks.slice(40)];
  for (const task of single) expect(await outcomeOf(task)).toEqual({ kind: "copied", etag: task.etag });
  // And several in one event.
  expect(outcomesOf(await invoke(...several))).toEqual(several.map(({ etag }) => ({ kind: "copied", etag })));
  for (const task of tasks) {
    const source = store.getObject("from", task.key)!;
    const target = targetOf(task)!;
    expect(target.attributes).toEqual(source.attributes);
    expect(target.tags).toEqual(source.tags);
    expect(target.storageClass).toBe(source.storageClass);
    expect(target.read()).toEqual(source.read());
  }
  expect(runtime.started - before).toBeLessThanOrEqual(1);
});

it("copies hostile keys with one request each", async () => {
  const tasks = hostileKeys.filter((key) => key.length < 1000).map((key) => put(key));
  expect(outcomesOf(await invoke(...tasks)).map(({ kind }) => kind)).toEqual(tasks.map(() => "copied"));
  for (const task of tasks) expect(targetOf(task)?.read().toString()).toBe(`body of ${task.key.slice(6)}`);
  expect(copies()).toBe(tasks.length);
  expect(store.requests.count("HeadObject")).toBe(0);
});

it("answers `copied` when it is invoked again after it was killed behind the copy", async () => {
  const task = put("killed");
  const hold = store.faults.hold({ operation: "CopyObject" }, "after");
  const first = invoke(task);
  await hold.arrival();
  expect(runtime.kill()).toBe(1);
  expect(await first).toMatchObject({ functionError: { errorType: "Runtime.ExitError" } });
  hold.release();
  expect(targetOf(task)).toBeDefined();
  expect(await outcomeOf(task)).toEqual({ kind: "copied", etag: task.etag });
  expect(versionsOf(task)).toBe(1);
});

it("goes on with connections that were closed while it was frozen", async () => {
  await outcomeOf(put("warm"));
  store.resetConnections();
  const task = put("thawed");
  expect(await outcomeOf(task)).toEqual({ kind: "copied", etag: task.etag });
});

it("copies the planned version only", async () => {
  const changed = put("changed");
  store.putObject("from", changed.key, "newer");
  expect(await outcomeOf(changed)).toEqual({ kind: "precondition_failed" });
  expect(targetOf(changed)).toBeUndefined();
  const gone = put("gone");
  store.deleteObject("from", gone.key);
  expect(await outcomeOf(gone)).toEqual({ kind: "source_gone" });
});

it("replaces nothing but what the task expects at the target", async () => {
  const task = put("taken");
  const foreign = store.putObject("to", "avatar/taken", "foreign");
  expect(await outcomeOf(task)).toEqual({ kind: "precondition_failed" });
  expect(targetOf(task)?.read().toString()).toBe("foreign");
  const another = "0cc175b9c0f1b6a831c399e269772661";
  expect(await outcomeOf({ ...task, replacing: another })).toEqual({ kind: "precondition_failed" });
  expect(targetOf(task)?.read().toString()).toBe("foreign");
  const replacing = { ...task, replacing: foreign.etag };
  expect(await outcomeOf(replacing)).toEqual({ kind: "copied", etag: task.etag });
  expect(targetOf(task)?.read().toString()).toBe("body of taken");
  // A duplicate of the invocation finds its own copy.
  expect(await outcomeOf(replacing)).toEqual({ kind: "copied", etag: task.etag });
  const lost = { ...put("lost"), replacing: another };
  expect(await outcomeOf(lost)).toEqual({ kind: "precondition_failed" });
  expect(targetOf(lost)).toBeUndefined();
});

it("reports what depends on the object", async () => {
  const archived = put("archived", { storageClass: "GLACIER" });
  expect(await outcomeOf(archived)).toMatchObject({ kind: "failed", code: "needs_restore" });
  const denied = put("denied");
  store.faults.add({ operation: "CopyObject", effect: { type: "access-denied" } });
  expect(await outcomeOf(denied)).toMatchObject({ kind: "failed", code: "access_denied" });
  expect(copies()).toBe(2);
});

it.each<FaultEffect>([
  { type: "slow-down" },
  { type: "internal-error", applied: true },
  { type: "error-in-200" },
  { type: "error-in-200", applied: true },
  { type: "empty-200", applied: true },
  { type: "reset-before" },
  { type: "reset-after" },
  { type: "error", status: 409, code: "ConditionalRequestConflict" },
])("repeats by itself, and makes one copy: %j", async (effect) => {
  const task = put(JSON.stringify(effect));
  store.faults.add({ operation: "CopyObject", times: 1, effect });
  expect(await outcomeOf(task)).toEqual({ kind: "copied", etag: task.etag });
  expect(copies()).toBe(2);
  expect(versionsOf(task)).toBe(1);
});

it("answers before its time is over when the store does not", async () => {
  const hasty = start(4_000);
  try {
    store.faults.add({ operation: "CopyObject", effect: { type: "hang" } });
    const [result] = resultsOf(await hasty.invoke(copyEvent(TERMS, [put("hangs")])));
    expect(result).toMatchObject({ resultCode: "TemporaryFailure" });
    expect(hasty.log()).toContain('"resultCode":"TemporaryFailure"');
  } finally {
    store.faults.clear();
    await hasty.close();
  }
});

it("leaves what concerns every object to a later invocation", async () => {
  const event = copyEvent({ ...TERMS, targetBucket: "nowhere" }, [put("unplaced")]);
  const [result] = resultsOf(await runtime.invoke(event));
  expect(result).toMatchObject({ resultCode: "TemporaryFailure" });
  expect(result?.resultString).toContain("NoSuchBucket");
  expect(copies()).toBe(1);
});

it("sends nothing after the end of the job's time", async () => {
  const task = put("late");
  const event = copyEvent({ ...TERMS, notAfter: Date.now() - 1 }, [task]);
  expect(outcomesOf(await runtime.invoke(event))).toEqual([{ kind: "held" }]);
  expect(store.requests.total).toBe(0);
});

it("keeps its requests apart, across invocations too", async () => {
  const tasks = Array.from({ length: 4 }, (_, n) => put(`paced/${n}`));
  const began = performance.now();
  for (const task of tasks) await runtime.invoke(copyEvent({ ...TERMS, leastMs: 150 }, [task]));
  expect(performance.now() - began).toBeGreaterThanOrEqual(600);
});

it("answers what is no event with an error, and refuses what it does not understand for good", async () => {
  expect(await runtime.invoke({})).toMatchObject({ functionError: { errorType: "RangeError" } });
  const event = copyEvent(TERMS, [put("odd")]);
  const [result] = resultsOf(await runtime.invoke({ ...event, invocationSchemaVersion: "3.0" }));
  expect(result).toMatchObject({ resultCode: "PermanentFailure" });
  expect(store.requests.total).toBe(0);
});
