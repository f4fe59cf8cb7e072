/** Which budgets the benchmark's figures on the production database meet, and what is listed as worse. */

import { describe, expect, it } from "vitest";
import { figuresOf, type Situation, type SituationRun } from "../../../bench/database-figures.ts";
import { databaseBudgets, worseForTheDatabase } from "../../../bench/database-verdicts.ts";

const latencies = (p99: number, more = {}) => ({ operations: 4000, p50: 1, p95: 2, p99, max: 50, ...more });

const run = (situation: Situation, p99: number, more: Partial<SituationRun> = {}): SituationRun => ({
  situation,
  latencies: latencies(p99),
  readLatencies: latencies(p99),
  changeLatencies: latencies(p99),
  objectsPerSecond: 3000,
  statementsPerThousand: 3,
  rewrites: latencies(20),
  reads: latencies(5),
  cores: { mariadb: 0.1, service: 0.3, store: 0.2 },
  ...more,
});

const figures = (withReference: Partial<SituationRun> = {}, script: Partial<SituationRun> = {}) =>
  figuresOf([
    run("idle", 2),
    run("job without references", 4),
    run("job with its reference", 5, withReference),
    run("per-row script", 6, script),
  ]);

const unmet = (of: ReturnType<typeof figures>) =>
  databaseBudgets(of)
    .filter(({ met }) => !met)
    .map(({ what }) => what);

describe("budgets of the production database", () => {
  it("are met at their edges", () => {
    expect(unmet(figures())).toEqual([]);
    expect(unmet(figures({ rewrites: latencies(20, { max: 50 }) }))).toEqual([]);
  });

  it.each([
    [
      "the application's p99 beside the job against the same job without references",
      { latencies: latencies(5.1) },
    ],
    ["production statements for 1,000 objects", { statementsPerThousand: 5.01 }],
    ["the longest rewriting statement", { rewrites: latencies(20, { max: 50.1 }) }],
  ])("%s: missed by that alone", (what, more) => {
    expect(unmet(figures(more))).toEqual([what]);
  });
});

describe("what is worse", () => {
  it("is every quantile that is lower beside the script", () => {
    expect(worseForTheDatabase(figures())).toEqual([]);
    expect(worseForTheDatabase(figures({}, { latencies: latencies(4.9, { p50: 0.9 }) }))).toEqual([
      "p50 of the application: 1.00 ms beside the job with its reference, 0.900 ms beside the per-row script, which moves no objects.",
      "p99 of the application: 5.00 ms beside the job with its reference, 4.90 ms beside the per-row script, which moves no objects.",
    ]);
  });
});
