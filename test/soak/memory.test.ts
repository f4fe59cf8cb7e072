/** What a job takes of memory does not depend on how many objects it moves: the executable, watched from outside. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { measureGrowth } from "../../bench/sections/measure-growth.ts";

const DIST = join(import.meta.dirname, "../../dist");
const OBJECTS = 100_000;
const MOST_MB = 250;
/** Between an early and a late quarter of the job. */
const MOST_GROWTH = 1.1;
/** Not 1 s, which is measured on a machine that does nothing else (docs/benchmarks.md). */
const FIRST_COPY_MS = 5_000;

test("a service that moves 100,000 objects stays below 250 MB and does not grow on the way", {
  timeout: 180_000,
}, async () => {
  const row = await measureGrowth({
    objects: OBJECTS,
    dist: DIST,
    concurrency: 256,
    latencyMs: 5,
    database: null,
  });
  console.log(
    `${OBJECTS} objects: ${row.rssPeakMb.toFixed(0)} MB at most, ${row.rssEarlyMb.toFixed(0)} in the second ` +
      `quarter, ${row.rssLateMb.toFixed(0)} in the last; ${row.seconds.toFixed(1)} s`,
  );
  expect(row.rssPeakMb).toBeLessThan(MOST_MB);
  expect(row.rssLateMb / row.rssEarlyMb).toBeLessThan(MOST_GROWTH);
  // It copies while it plans: listing a hundred thousand objects first would take longer.
  expect(row.firstCopyMs).toBeLessThan(FIRST_COPY_MS);
  expect(row.requestsPerObject).toBeLessThan(1.02);
});
