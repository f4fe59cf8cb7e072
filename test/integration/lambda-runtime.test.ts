/** The runtime of the tests treats functions as Lambda does: warm, frozen, one event at a time, ended by time and by force. */

import { setTimeout as sleep } from "node:timers/promises";
import { strToU8, zipSync } from "fflate";
import { afterEach, expect, it } from "vitest";
import { type LambdaOptions, type LambdaRuntime, startLambda } from "../support/aws/lambda-runtime.ts";

const CODE = `
let calls = 0, ticks = 0;
setInterval(() => { ticks += 1; }, 5);
export async function handler(event, context) {
  calls += 1;
  console.log("call " + calls);
  if (event.fail) throw new TypeError("asked to");
  if (event.exit) process.exit(3);
  const before = ticks;
  await new Promise((resolve) => setTimeout(resolve, event.forMs ?? 0));
  return { calls, before, after: ticks, left: context.getRemainingTimeInMillis(), env: process.env.GIVEN, path: process.env.PATH };
}
`;

const running: LambdaRuntime[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

function start(options: Partial<LambdaOptions> = {}, code = CODE): LambdaRuntime {
  const zip = zipSync({ "counter.mjs": strToU8(code) });
  const runtime = startLambda({ zip, handler: "counter.handler", timeoutMs: 5_000, ...options });
  running.push(runtime);
  return runtime;
}

it("keeps one process warm over many invocations, with the environment it was given and no other", async () => {
  const runtime = start({ env: { GIVEN: "this" } });
  for (let call = 1; call <= 5; call += 1) {
    const invoked = await runtime.invoke({});
    expect(invoked).toMatchObject({ payload: { calls: call, env: "this" } });
    expect(invoked).not.toMatchObject({ payload: { path: expect.any(String) } });
  }
  expect(runtime.started).toBe(1);
  expect(runtime.log()).toContain("call 5\n");
});

it("freezes the process between invocations, and not within", async () => {
  const runtime = start();
  const first = (await runtime.invoke({ forMs: 200 })) as { payload: { before: number; after: number } };
  expect(first.payload.after - first.payload.before).toBeGreaterThan(10);
  await sleep(500);
  const second = (await runtime.invoke({})) as { payload: { before: number } };
  // Of half a second, at 5 ms a tick, next to nothing has passed for the process.
  expect(second.payload.before - first.payload.after).toBeLessThan(30);
});

it("tells the function how much of its time is left", async () => {
  const { payload } = (await start().invoke({ forMs: 300 })) as { payload: { left: number } };
  expect(payload.left).toBeGreaterThan(3_000);
  expect(payload.left).toBeLessThanOrEqual(4_750);
});

it("gives an error that the function has thrown, and keeps its process", async () => {
  const runtime = start();
  expect(await runtime.invoke({ fail: true })).toMatchObject({
    functionError: { errorType: "TypeError", errorMessage: "asked to" },
  });
  expect(await runtime.invoke({})).toMatchObject({ payload: { calls: 2 } });
});

it("ends a process whose time is over, and starts another one for the next invocation", async () => {
  const runtime = start({ timeoutMs: 1_000 });
  await runtime.invoke({});
  expect(await runtime.invoke({ forMs: 60_000 })).toMatchObject({
    functionError: { errorType: "Sandbox.Timedout" },
  });
  expect(await runtime.invoke({})).toMatchObject({ payload: { calls: 1 } });
});

it("ends invocations whose process is killed, ends itself or cannot load its code", async () => {
  const runtime = start();
  const invoked = runtime.invoke({ forMs: 60_000 });
  while (!runtime.log().includes("call 1")) await sleep(10);
  expect(runtime.kill("idle")).toBe(0);
  expect(runtime.kill()).toBe(1);
  expect(await invoked).toMatchObject({ functionError: { errorType: "Runtime.ExitError" } });
  expect(await runtime.invoke({ exit: true })).toMatchObject({
    functionError: { errorType: "Runtime.ExitError" },
  });
  await runtime.invoke({});
  expect(runtime.kill("idle")).toBe(1);
  expect(await runtime.invoke({})).toMatchObject({ payload: { calls: 1 } });
  const broken = start({}, "throw new RangeError('at import');");
  expect(await broken.invoke({})).toMatchObject({ functionError: { errorMessage: "at import" } });
});

it("works on no more events at once than it may: others wait, or are throttled", async () => {
  const runtime = start({ concurrency: 2 });
  const all = await Promise.all(Array.from({ length: 6 }, () => runtime.invoke({ forMs: 50 })));
  expect(all.every((one) => "payload" in one)).toBe(true);
  expect([runtime.mostBusy, runtime.started]).toEqual([2, 2]);
  const strict = start({ concurrency: 1, whenBusy: "throttle" });
  const two = await Promise.all([strict.invoke({ forMs: 50 }), strict.invoke({})]);
  expect(two).toMatchObject([
    { payload: { calls: 1 } },
    { functionError: { errorType: "TooManyRequestsException" } },
  ]);
});

it("disturbs the invocations that a test names", async () => {
  const fates = [
    null,
    { kind: "error" },
    { kind: "kill", afterMs: 20 },
    { kind: "timeout", afterMs: 20 },
  ] as const;
  const runtime = start({ disturb: (count) => fates[count - 1] ?? null });
  const ends: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const invoked = await runtime.invoke({ forMs: 100 });
    ends.push("payload" in invoked ? "answered" : invoked.functionError.errorType);
  }
  expect(ends).toEqual(["answered", "Error", "Runtime.ExitError", "Sandbox.Timedout", "answered"]);
});
