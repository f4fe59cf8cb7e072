/** A whole job against a bucket that allows a thousand writes a second: what is used of it and what is rejected, counted there. */

import { afterEach, describe, expect, it } from "vitest";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../support/worlds/workbench.ts";

const ALLOWED = 1000;
const FROM_MS = 5_000;
const TO_MS = 14_000;
let bench: Workbench;
afterEach(() => bench.close());

interface Count {
  readonly at: number;
  readonly granted: number;
  readonly requests: number;
  readonly throttled: number;
}

/** Runs `job` and counts at `bucket` from the fifth second on, while there is still enough to do. */
async function measure(bucket: string, objects: number, job: object) {
  bench = await openWorkbench();
  const { store } = bench;
  const keys = imageKeys(objects);
  fillStore(store, "bucket-a", keys);
  store.faults.latencyMs = 20;
  store.faults.writeBudget(bucket, ALLOWED);
  const id = await bench.submit({ references: [], limits: { concurrency: 128 }, ...job });
  const counted = (): Count => ({
    at: performance.now(),
    granted: store.faults.writesGranted(bucket),
    requests: store.requests.total,
    throttled: store.requests.throttled,
  });
  const counts: Count[] = [];
  const timers = [FROM_MS, TO_MS].map((ms) => setTimeout(() => counts.push(counted()), ms));
  const view = await bench.work(id);
  for (const timer of timers) clearTimeout(timer);
  const [first, last] = counts;
  if (first === undefined || last === undefined) throw new Error("the job ended before it was measured");
  const used = ((last.granted - first.granted) * 1000) / (ALLOWED * (last.at - first.at));
  const rejected = (last.throttled - first.throttled) / (last.requests - first.requests);
  const early = first.throttled;
  console.info(`used ${used.toFixed(4)}, rejected ${rejected.toFixed(4)}, in the first 5 s ${early}`);
  return { view, used, rejected, early };
}

describe("a bucket's write rate", () => {
  it("is used to 97 % by a job that copies, of whose requests 1 % are rejected at most", async () => {
    const { view, used, rejected, early } = await measure("bucket-b", 15_500, { delete: { when: "never" } });
    expect(view).toMatchObject({ state: "completed", objects: { moved: 15_500, exceptions: 0 } });
    expect(used).toBeGreaterThanOrEqual(0.97);
    expect(rejected).toBeLessThanOrEqual(0.01);
    expect(early).toBeLessThan(500);
  });

  it("is used likewise by copies and bulk deletions together", async () => {
    const { view, used, rejected } = await measure("bucket-a", 8_200, {
      target: { bucket: "bucket-a", prefix: "avatar/" },
      delete: { when: "verified", after: "0s" },
    });
    expect(view).toMatchObject({ state: "completed", objects: { moved: 8_200, exceptions: 0 } });
    expect(used).toBeGreaterThanOrEqual(0.97);
    expect(rejected).toBeLessThanOrEqual(0.01);
  });
});
