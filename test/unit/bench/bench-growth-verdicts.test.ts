/** Which budgets the benchmark's jobs of growing size meet, and what is listed as worse. */

import { describe, expect, it } from "vitest";
import { growthBudgets, worseGrowth } from "../../../bench/growth-verdicts.ts";
import type { GrowthRow } from "../../../bench/measure-growth.ts";

const row = (objects: number, more: Partial<GrowthRow> = {}): GrowthRow => ({
  objects,
  withRows: true,
  seconds: objects / 5000,
  objectsPerSecond: 5000,
  cpuMsPerObject: 0.1,
  rssPeakMb: 200,
  rssEarlyMb: 195,
  rssLateMb: 200,
  ledgerBytesPerObject: 23,
  statementsPerThousand: 3,
  requestsPerObject: 1.006,
  firstCopyMs: 300,
  firstCopyAfterStartMs: 700,
  apiP50Ms: 5,
  apiP99Ms: 20,
  apiMaxMs: 40,
  ...more,
});

const SIZES = [10_000, 100_000, 1_000_000];
const unmet = (rows: readonly GrowthRow[]) =>
  growthBudgets(rows)
    .filter(({ met }) => !met)
    .map(({ what }) => what);
const only = (objects: number, more: Partial<GrowthRow>) =>
  SIZES.map((size) => row(size, size === objects ? more : {}));

const API = "GET /jobs/:id p99 during the job, from 100,000 objects on";
const FLAT = "memory between 100,000 and 1,000,000 objects";

describe("budgets of growing jobs", () => {
  it("are met at their edges", () => {
    expect(unmet(SIZES.map((size) => row(size)))).toEqual([]);
    expect(unmet(only(100_000, { apiP99Ms: 50, firstCopyMs: 1000 }))).toEqual([]);
  });

  it.each([
    ["memory of a short job", only(10_000, { rssPeakMb: 251 }), ["resident memory, any size"]],
    ["memory that grows", only(1_000_000, { rssPeakMb: 221 }), [FLAT]],
    ["memory that shrinks", only(100_000, { rssPeakMb: 221 }), [FLAT]],
    ["less memory in a short job", only(10_000, { rssPeakMb: 100 }), []],
    ["a late first copy", only(10_000, { firstCopyMs: 1001 }), ["first copy after the submission, any size"]],
    ["slow answers", only(100_000, { apiP99Ms: 51 }), [API]],
    ["slow answers in a longer job", only(1_000_000, { apiP99Ms: 51 }), [API]],
    ["slow answers in a short job", only(10_000, { apiP99Ms: 51 }), []],
    ["a large ledger", only(1_000_000, { ledgerBytesPerObject: 121 }), ["ledger on disk for one object"]],
  ])("%s", (_, rows, expected) => expect(unmet(rows)).toEqual(expected));

  it("leave out what only lasting jobs can tell", () => {
    const asked = growthBudgets([row(2000), row(4000)]).map(({ what }) => what);
    expect(asked).not.toContain(API);
    expect(asked).toHaveLength(3);
  });
});

describe("what is worse", () => {
  it("is every job with slow answers, short ones too", () => {
    expect(worseGrowth(SIZES.map((size) => row(size)))).toEqual([]);
    expect(worseGrowth([row(10_000, { apiP99Ms: 62 }), row(100_000)])).toEqual([
      "GET /jobs/:id during a job of 10,000 objects: p99 62.0 ms, more than 50 ms.",
    ]);
  });
});
