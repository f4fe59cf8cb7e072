/** Which budgets the benchmark's figures meet, and that no section leaves one out. */

import { describe, expect, it } from "vitest";
import { BUDGETS, checkBudgets } from "../../../bench/budgets.ts";
import type { Figures } from "../../../bench/section.ts";
import { databaseFigures } from "../../../bench/sections/database.ts";
import { growthFigures } from "../../../bench/sections/growth.ts";
import type { GrowthRow } from "../../../bench/sections/measure-growth.ts";
import type { Situation, SituationRun } from "../../../bench/sections/measure-situations.ts";
import { OURS, type ThroughputRow, throughputFigures } from "../../../bench/sections/throughput.ts";

/** All figures at their bounds, those given instead. */
const figures = (given: Record<string, number | null> = {}) => {
  const sections = new Map<string, Record<string, number | null>>();
  for (const { section, figure, bound } of BUDGETS) {
    sections.set(section, { ...sections.get(section), [figure]: given[figure] ?? bound });
    if (given[figure] === null) sections.set(section, { ...sections.get(section), [figure]: null });
  }
  return sections;
};

const results = (measured: ReadonlyMap<string, Figures>) =>
  checkBudgets(measured).filter(({ result }) => result !== "met");

/** The names of the budgets that a section's figures miss. */
const missedOf = (section: string, measured: Figures) =>
  results(new Map([[section, measured]])).map(({ budget, result }) => `${result}: ${budget.figure}`);

describe("a budget", () => {
  it("is met at its bound", () => expect(results(figures())).toEqual([]));

  it.each(BUDGETS)("$figure: missed beyond its bound, that one alone", (budget) => {
    for (const measured of [budget.bound + (budget.relation === "≤" ? 1e-6 : -1e-6), Number.NaN]) {
      const missed = results(figures({ [budget.figure]: measured }));
      expect(missed).toEqual([{ budget, measured, result: "missed" }]);
    }
  });

  it("is not asked of a section that did not run, nor of a run that was not to measure it", () => {
    expect(checkBudgets(new Map())).toEqual([]);
    const [budget] = BUDGETS;
    expect(results(figures({ [budget?.figure ?? ""]: null }))).toMatchObject([
      { budget, result: "not measured" },
    ]);
  });

  it("is not left out, nor a figure without a budget taken for one", () => {
    expect(() => checkBudgets(new Map([["database", {}]]))).toThrow("longest production statement");
    const listing = { "planning from a bucket against one stream": 6, other: 1 };
    expect(() => checkBudgets(new Map([["listing", listing]]))).toThrow(
      "section listing: budgets and figures differ: other",
    );
  });
});

describe("figures of many small objects", () => {
  const first = { concurrency: 64, objects: 600 };
  const last = { concurrency: 256, objects: 2000 };
  const row = (
    name: string,
    load: ThroughputRow["load"],
    more: Partial<ThroughputRow> = {},
  ): ThroughputRow => ({
    ...{ name, load, concurrent: true, objects: load.objects, rounds: 3 },
    ...{ objectsPerSecond: 3000, activeObjectsPerSecond: 3100, slowest: 2900, fastest: 3100 },
    ...{
      shareOfBound: 0.8,
      activeShareOfBound: 0.9,
      cpuMsPerObject: 0.2,
      requestsPerObject: 1.02,
      peakMb: 180,
    },
    ...more,
  });
  const forms = [OURS.plain, OURS.withRows, OURS.sqliteLedger];
  /** Ours under both loads, `more` for one of them under the first; peers only under the last. */
  const rows = (name?: string, more: Partial<ThroughputRow> = {}) => [
    ...forms.map((form) => row(form, first, form === name ? more : {})),
    row("fast", first, { objectsPerSecond: 100_000 }),
    row(OURS.plain, last),
    row(`${OURS.plain}, other build`, last, { objectsPerSecond: 9000 }),
    row(OURS.withRows, last),
    row("slow", last, { objectsPerSecond: 10 }),
    row("fast", last, { objectsPerSecond: 1000 }),
  ];
  const missed = (of: readonly ThroughputRow[]) => missedOf("throughput", throughputFigures(of));

  it.each([
    ["S3 requests an object, inventory from the bucket", OURS.plain, { requestsPerObject: 1.021 }],
    ["S3 requests an object, inventory from the database", OURS.withRows, { requestsPerObject: 1.021 }],
    ["CPU an object, MariaDB reference and ledger", OURS.withRows, { cpuMsPerObject: 0.201 }],
    ["CPU an object, MariaDB reference, SQLite ledger", OURS.sqliteLedger, { cpuMsPerObject: 0.201 }],
    ["share of concurrency ÷ latency at 64, objects only", OURS.plain, { activeShareOfBound: 0.899 }],
    ["share of concurrency ÷ latency at 64, with rows", OURS.withRows, { activeShareOfBound: 0.899 }],
  ])("%s: missed by its own row alone", (figure, name, more) => {
    expect(missed(rows())).toEqual([]);
    expect(missed(rows(name, more))).toEqual([`missed: ${figure}`]);
  });

  it("compare the longest job with whichever peer is fastest at it, not with another build", () => {
    const faster = rows().map((one) => (one.name === "slow" ? { ...one, objectsPerSecond: 1001 } : one));
    const names = ["objects only", "with rows"];
    expect(missed(faster)).toEqual(
      names.map((name) => `missed: objects a second at 256 against the fastest peer, ${name}`),
    );
    const alone = rows().filter(({ name }) => name.startsWith("Tranship"));
    expect(missed(alone)).toEqual(
      names.map((name) => `not measured: objects a second at 256 against the fastest peer, ${name}`),
    );
  });

  it.each([
    [OURS.plain, first],
    [OURS.sqliteLedger, first],
    [OURS.withRows, last],
  ] as const)("are not left out where %s was not measured with %o", (name, load) => {
    const without = rows().filter((one) => one.name !== name || one.load !== load);
    expect(() => throughputFigures(without)).toThrow(
      `no row of "${name}" with ${load.objects} at ${load.concurrency}`,
    );
  });
});

describe("figures of the production database", () => {
  const run = (situation: Situation, p99: number, more: Partial<SituationRun> = {}): SituationRun => ({
    ...{ situation, latencies: { p50: 1, p95: 2, p99, max: 50 }, objectsPerSecond: 3000 },
    ...{ statementsPerThousand: 4, longestReadMs: 50, longestRewriteMs: 50, ...more },
  });
  const rounds = (ratios: readonly number[], more: Partial<SituationRun> = {}) =>
    ratios.flatMap((ratio, round) => [
      run("idle", 1),
      run("job without references", 4 + round),
      run("job with its reference", (4 + round) * ratio, round === 0 ? more : {}),
      run("per-row script", 99, { longestReadMs: 999, longestRewriteMs: 999, statementsPerThousand: 2000 }),
    ]);
  const missed = (ratios: readonly number[], more: Partial<SituationRun> = {}) =>
    missedOf("database", databaseFigures(rounds(ratios, more)));

  it("take the median of the rounds' ratios, each within its round", () => {
    expect(missed([9, 9, 1.5, 1, 1])).toEqual([]);
    expect(missed([9, 9, 1.51, 1, 1])).toEqual([
      "missed: the application's p99 beside the job against the job without references",
    ]);
  });

  it.each([
    ["longest production statement", { longestReadMs: 50.1 }],
    ["longest production statement", { longestRewriteMs: 50.1 }],
    ["production statements for 1,000 objects with one reference", { statementsPerThousand: 4.1 }],
  ])("%s: missed by %o", (figure, more) => {
    expect(missed([1], more)).toEqual([`missed: ${figure}`]);
  });
});

describe("figures of growing jobs", () => {
  const row = (objects: number, more: Partial<GrowthRow> = {}): GrowthRow => ({
    ...{ objects, withRows: true, seconds: objects / 5000, cpuMsPerObject: 0.1 },
    ...{ rssPeakMb: 220, rssEarlyMb: 215, rssLateMb: 220, ledgerBytesPerObject: 23 },
    ...{ statementsPerThousand: 3, requestsPerObject: 1.006, firstCopyMs: 1000 },
    ...{ api: { p50: 5, p95: 10, p99: 50, max: 60 }, ...more },
  });
  const slow = { api: { p50: 5, p95: 10, p99: 51, max: 60 } };
  const missed = (objects: number, more: Partial<GrowthRow>) =>
    missedOf(
      "growth",
      growthFigures([10_000, 100_000, 1_000_000].map((size) => row(size, size === objects ? more : {}))),
    );

  it.each([
    ["memory of a short job", 10_000, { rssPeakMb: 251 }, "missed: resident memory, any size"],
    ["memory that grows", 1_000_000, { rssPeakMb: 243 }, "missed: growth of memory from 100,000 objects on"],
    ["memory that shrinks", 100_000, { rssPeakMb: 243 }, "missed: growth of memory from 100,000 objects on"],
    ["less memory in a short job", 10_000, { rssPeakMb: 100 }, null],
    ["a late first copy", 10_000, { firstCopyMs: 1001 }, "missed: first copy after the submission, any size"],
    ["slow answers", 100_000, slow, "missed: GET /jobs/:id p99 during the job, from 100,000 objects on"],
    [
      "slow answers in a longer job",
      1_000_000,
      slow,
      "missed: GET /jobs/:id p99 during the job, from 100,000 objects on",
    ],
    ["slow answers in a short job", 10_000, slow, null],
    ["a large ledger", 1_000_000, { ledgerBytesPerObject: 121 }, "missed: ledger on disk for one object"],
  ])("%s", (_, objects, more, expected) =>
    expect(missed(objects, more)).toEqual(expected === null ? [] : [expected]),
  );

  it("leave out what only lasting jobs can tell", () => {
    const asked = missedOf("growth", growthFigures([row(2000), row(4000)]));
    expect(asked.map((line) => line.split(":")[0])).toEqual(["not measured", "not measured"]);
  });
});
