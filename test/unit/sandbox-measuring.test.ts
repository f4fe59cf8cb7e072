/** What benchmarks need of the sandbox store: copies that take time by their bytes, and counters over time. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { slowCopies } from "../../src/sandbox/copy-speed.ts";
import { RequestTimeline } from "../../src/sandbox/request-timeline.ts";
import type { S3Request } from "../../src/sandbox/s3-request.ts";
import { type SandboxStore, startSandboxStore } from "../../src/sandbox/sandbox-store.ts";

let store: SandboxStore;

afterEach(async () => {
  vi.useRealTimers();
  await store.close();
});

async function start(): Promise<void> {
  store = await startSandboxStore({
    accessKeyId: "id",
    secretAccessKey: "secret",
    buckets: [{ name: "from" }, { name: "to" }],
  });
}

describe("copies by their bytes", () => {
  test.each([
    ["the whole object", { "x-amz-copy-source": "from/k%201" }, 500],
    ["a part", { "x-amz-copy-source": "from/k%201", "x-amz-copy-source-range": "bytes=100-299" }, 100],
    ["an object that is not there", { "x-amz-copy-source": "from/none" }, 0],
    ["a bucket that is not there", { "x-amz-copy-source": "nowhere/k" }, 0],
    ["a malformed source", { "x-amz-copy-source": "?" }, 0],
  ])("%s", async (_, headers, milliseconds) => {
    await start();
    store.putObject("from", "k 1", Buffer.alloc(1000));
    const { effect } = slowCopies(store, 2000);
    if (effect.type !== "latency" || typeof effect.delay !== "function")
      throw new Error("no delay by request");
    expect(effect.delay({ headers } as unknown as S3Request)).toBe(milliseconds);
  });
});

describe("the timeline", () => {
  test("has a sample for each change, the moment before it, and the end", async () => {
    await start();
    vi.useFakeTimers();
    const timeline = new RequestTimeline(store, ["from", "to"]);
    timeline.start(50);
    vi.advanceTimersByTime(500);
    store.requests.noteReceived("CopyObject", "to");
    store.requests.noteError("SlowDown", "to");
    vi.advanceTimersByTime(500);
    const samples = timeline.samples();
    const began = samples[0]?.ms ?? 0;
    expect(samples.map(({ ms, slowDown }) => [Math.round(ms - began), slowDown])).toEqual([
      [0, { from: 0, to: 0 }],
      [450, { from: 0, to: 0 }],
      [500, { from: 0, to: 1 }],
      [950, { from: 0, to: 1 }],
    ]);
    expect(samples.at(-1)?.received).toEqual({ "CopyObject to": 1 });
  });
});
