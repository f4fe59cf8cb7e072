/** Faults, write budgets, holds and counters of the sandbox store. */

import { CopyObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { WriteBudget } from "../../../src/sandbox-s3/faults/write-budget.ts";
import { client, connectTo, credentials, sandboxForAll, store } from "../../support/sandbox-client.ts";

sandboxForAll();
beforeAll(() => {
  for (let n = 0; n < 20; n++) store.putObject("from", `k${n}`, "x");
});

afterEach(() => {
  store.faults.clear();
  store.requests.reset();
  for (const key of store.listKeys("to")) store.deleteObject("to", key);
});

const copy = (n: number) => client.copyObject({ Bucket: "to", Key: `t${n}`, CopySource: `from/k${n}` });
const isCopied = (n: number) => store.getObject("to", `t${n}`) !== undefined;
const failures = async (count: number) => {
  const failed: number[] = [];
  for (let n = 1; n <= count; n++) await copy(n).catch(() => failed.push(n));
  return failed;
};

describe("a fault", () => {
  test("meets the requests it is meant for: the nth, every nth, so many", async () => {
    const { faults } = store;
    faults.add({ operation: "CopyObject", bucket: "to", nth: 2, effect: { type: "slow-down" } });
    faults.add({ operation: ["CopyObject"], key: "t5", effect: { type: "internal-error" } });
    faults.add({ sourceKey: (key) => key === "k7", effect: { type: "access-denied" } });
    faults.add({ operation: "GetObject", effect: { type: "access-denied" } });
    expect(await failures(8)).toEqual([2, 5, 7]);
    expect(["InternalError", "AccessDenied"].map((code) => store.requests.errors(code))).toEqual([1, 1]);
    expect(store.requests.throttled).toBe(1);

    faults.clear();
    const every = faults.add({ every: 3, times: 2, effect: { type: "slow-down" } });
    expect(await failures(10)).toEqual([3, 6]);
    expect([every.matched, every.fired]).toEqual([10, 2]);
  });

  test("is told as any S3 error, and removed again", async () => {
    const effect = {
      type: "error",
      status: 409,
      code: "ConditionalRequestConflict",
      message: "again",
    } as const;
    const fault = store.faults.add({ effect });
    await expect(copy(1)).rejects.toMatchObject({
      name: "ConditionalRequestConflict",
      $metadata: { httpStatusCode: 409 },
    });
    fault.remove();
    await copy(1);
  });

  test("answers 200 with an error, or with nothing", async () => {
    store.faults.add({ key: "t1", effect: { type: "error-in-200", code: "SlowDown" } });
    store.faults.add({ key: "t2", effect: { type: "empty-200", applied: true } });
    await expect(copy(1)).rejects.toMatchObject({ name: "SlowDown" });
    await expect(copy(2)).rejects.toThrow();
    expect([isCopied(1), isCopied(2)]).toEqual([false, true]);
  });

  test("breaks the connection before or after the copy", async () => {
    store.faults.add({ key: "t1", effect: { type: "reset-before" } });
    store.faults.add({ key: "t2", effect: { type: "reset-after" } });
    await expect(copy(1)).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect(copy(2)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect([isCopied(1), isCopied(2)]).toEqual([false, true]);
    await copy(3);
  });

  test("never answers", async () => {
    store.faults.add({ key: "t1", effect: { type: "hang" } });
    const sent = client.copyObject(
      { Bucket: "to", Key: "t1", CopySource: "from/k1" },
      {
        abortSignal: AbortSignal.timeout(100),
      },
    );
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    expect(isCopied(1)).toBe(false);
  });

  test("delays", async () => {
    store.faults.latencyMs = 20;
    store.faults.add({ effect: { type: "latency", delay: { minMs: 20, maxMs: 30 } } });
    const startedMs = performance.now();
    await copy(1);
    expect(performance.now() - startedMs).toBeGreaterThan(38);
  });

  test("does not undo a request whose client has gone", async () => {
    store.faults.latencyMs = 40;
    const command = new CopyObjectCommand({ Bucket: "to", Key: "t1", CopySource: "from/k1" });
    const arrival = store.faults.arrival();
    const abandoned = new AbortController();
    const sent = client.send(command, { abortSignal: abandoned.signal });
    await arrival;
    abandoned.abort();
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    expect(isCopied(1)).toBe(false);
    await expect.poll(() => isCopied(1)).toBe(true);
    await copy(2);
  });

  test("puts errors in place of single keys of a bulk delete", async () => {
    for (const key of ["a", "b", "c"]) store.putObject("to", key, "x");
    store.faults.add({
      key: (key) => key !== "a",
      nth: 2,
      effect: { type: "key-error", code: "InternalError" },
    });
    const Objects = ["a", "b", "c"].map((Key) => ({ Key }));
    const answer = await client.deleteObjects({ Bucket: "to", Delete: { Objects } });
    expect(answer.Errors).toMatchObject([{ Key: "c", Code: "InternalError" }]);
    expect(store.listKeys("to")).toEqual(["c"]);
  });
});

describe("a hold", () => {
  test("freezes requests before their effect and tells when one has arrived", async () => {
    const hold = store.faults.hold({ operation: "CopyObject" });
    const copying = copy(1);
    const request = await store.faults.arrival(hold);
    expect(request.target).toMatchObject({ bucket: "to", key: "t1" });
    expect([isCopied(1), hold.arrivals]).toEqual([false, 1]);
    hold.release();
    await copying;
    await copy(2);
  });

  test("freezes answers after the effect", async () => {
    const hold = store.faults.hold({ key: "t1" }, "after");
    const copying = copy(1);
    await hold.arrival();
    expect(isCopied(1)).toBe(true);
    store.faults.release();
    await copying;
  });

  test("is not needed to wait for the nth request", async () => {
    const third = store.faults.arrival({ operation: "CopyObject" }, 3);
    expect(await failures(3)).toEqual([]);
    expect((await third).target.key).toBe("t3");
  });
});

describe("a write budget", () => {
  test("admits its rate, lets a bulk delete run into debt, and refuses the rest", () => {
    let nowMs = 0;
    const budget = new WriteBudget(100, () => nowMs);
    const admitted = () => Array.from({ length: 20 }, () => budget.take(1)).filter(Boolean).length;
    expect(admitted()).toBe(10);
    nowMs = 50;
    expect(admitted()).toBe(5);
    nowMs = 100;
    expect(budget.take(1000)).toBe(true);
    nowMs = 10_000;
    expect(budget.take(1)).toBe(false);
    nowMs = 10_100;
    expect(admitted()).toBeGreaterThan(0);
    expect(budget.granted).toBeGreaterThan(1015);
  });

  test("answers 503 SlowDown above it, for that bucket's writes only", async () => {
    store.faults.writeBudget("to", 0.001);
    expect(await failures(3)).toEqual([2, 3]);
    await client.putObject({ Bucket: "from", Key: "new", Body: "x" });
    await client.listObjectsV2({ Bucket: "to" });
    expect([store.requests.throttled, store.requests.errors("SlowDown", "to")]).toEqual([2, 2]);
    expect(store.faults.writesGranted("to")).toBe(1);
    store.faults.writeBudget("to", undefined);
    expect(await failures(2)).toEqual([]);
  });
});

test("requests are counted by operation and bucket, whatever becomes of them", async () => {
  await copy(1);
  await copy(99).catch(() => undefined);
  await client.getObject({ Bucket: "from", Key: "k1" });
  await connectTo(store, { credentials: { ...credentials, secretAccessKey: "no" } })
    .listObjectsV2({ Bucket: "to" })
    .catch(() => undefined);
  const { requests } = store;
  expect(requests.byOperation()).toEqual({ CopyObject: 2, GetObject: 1, ListObjectsV2: 1 });
  expect(requests.byOperationAndBucket()).toEqual({
    "CopyObject to": 2,
    "GetObject from": 1,
    "ListObjectsV2 to": 1,
  });
  expect([
    requests.total,
    requests.count("CopyObject", "to"),
    requests.rejected,
    requests.errors("NoSuchKey"),
  ]).toEqual([4, 2, 1, 1]);
});
