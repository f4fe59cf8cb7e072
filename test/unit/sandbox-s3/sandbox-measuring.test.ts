/** What benchmarks need of the sandbox store: its counters over time. */

import { afterEach, expect, test, vi } from "vitest";
import { RequestTimeline } from "../../../src/sandbox-s3/faults/request-timeline.ts";
import { sandboxForAll, store } from "../../support/sandbox-client.ts";

sandboxForAll();
afterEach(() => void vi.useRealTimers());

test("the timeline has a sample for each change, the moment before it, and the end", () => {
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
