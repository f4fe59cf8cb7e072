/** Hundreds of requests of one job wait at once, at a store that rejects many: listeners on its stop are no leak. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const warnings: Error[] = [];
const note = (warning: Error) => void warnings.push(warning);

benchForEach({ objects: imageKeys(800), rows: imageKeys(800) });
beforeEach(() => void process.on("warning", note));
afterEach(() => void process.off("warning", note));

test("a job with 256 requests at once and many batches warns of no leak", async () => {
  bench.store.faults.latencyMs = 5;
  bench.store.faults.add({ operation: "CopyObject", effect: { type: "slow-down" }, times: 200 });
  const job = await bench.move({
    ...{ batchSize: 50, limits: { concurrency: 256, requestsPerSecond: 2000, rowsPerSecond: 2000 } },
    guards: { database: { maxThreadsRunning: null, maxReplicaLagSeconds: null } },
  });
  expect(job).toMatchObject({ state: "completed", objects: { moved: 800 } });
  expect(bench.store.requests.count("CopyObject")).toBeGreaterThan(800);
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
});
