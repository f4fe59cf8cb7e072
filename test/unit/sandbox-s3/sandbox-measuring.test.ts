/** What benchmarks need of the sandbox store: its counters over time. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { RequestTimeline } from "../../../src/sandbox-s3/faults/request-timeline.ts";
import { type SandboxStore, startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";

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
