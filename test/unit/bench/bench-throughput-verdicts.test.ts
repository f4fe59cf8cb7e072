/** Which budgets the benchmark's rows on small objects meet, and what is listed as worse. */

import { describe, expect, it } from "vitest";
import type { Load, ThroughputRow } from "../../../bench/measure-throughput.ts";
import { OURS } from "../../../bench/throughput-rows.ts";
import { throughputBudgets, worseThroughput } from "../../../bench/throughput-verdicts.ts";

const LOADS = {
  at64: { concurrency: 64, objects: 600 },
  shortAt256: { concurrency: 256, objects: 600 },
  longAt256: { concurrency: 256, objects: 2000 },
};

const row = (name: string, load: Load, more: Partial<ThroughputRow> = {}): ThroughputRow => ({
  name,
  load,
  concurrent: true,
  objects: load.objects,
  rounds: 3,
  objectsPerSecond: 3000,
  activeObjectsPerSecond: 3100,
  slowest: 2900,
  fastest: 3100,
  shareOfBound: 0.9,
  activeShareOfBound: 0.95,
  cpuMsPerObject: 0.1,
  requestsPerObject: 1.01,
  peakMb: 180,
  ...more,
});

/** Ours under every load, at the speeds given for the short and the long one at 256. */
const ours = ({ short = 3000, long = 3000, longWithRows = 3000 } = {}) => [
  row(OURS.plain, LOADS.at64),
  row(OURS.withRows, LOADS.at64),
  row(OURS.sqliteLedger, LOADS.at64),
  row(OURS.plain, LOADS.shortAt256, { objectsPerSecond: short }),
  row(OURS.withRows, LOADS.shortAt256, { objectsPerSecond: short }),
  row(OURS.plain, LOADS.longAt256, { objectsPerSecond: long }),
  row(OURS.withRows, LOADS.longAt256, { objectsPerSecond: longWithRows }),
];

/** Slower than ours at everything, with `more` of its own. */
const peer = (name: string, load: Load, objectsPerSecond: number, more: Partial<ThroughputRow> = {}) =>
  row(name, load, {
    objectsPerSecond,
    activeObjectsPerSecond: objectsPerSecond,
    cpuMsPerObject: 0.4,
    requestsPerObject: 3,
    peakMb: 400,
    ...more,
  });

const SHARE = "share of concurrency ÷ latency at 64 and 20 ms";

const ratiosOf = (rows: readonly ThroughputRow[]) =>
  throughputBudgets(rows, LOADS)
    .filter(({ budget }) => budget === "≥ 3×")
    .map(({ what, measured, met }) => ({ what, measured, met }));

describe("the ratio to the fastest peer", () => {
  it("is that of the longer job, of either form, against whoever is fastest under the same load", () => {
    const rows = [
      ...ours({ short: 9000, long: 3000, longWithRows: 2999 }),
      peer("slow", LOADS.longAt256, 100),
      peer("fast", LOADS.longAt256, 1000),
      peer("fast", LOADS.shortAt256, 2000),
    ];
    expect(ratiosOf(rows)).toEqual([
      {
        what: "objects a second at 256, whole process, 2,000 objects: Tranship, objects only against the fastest peer (fast)",
        measured: "3.00×",
        met: true,
      },
      {
        what: "objects a second at 256, whole process, 2,000 objects: Tranship, with rows against the fastest peer (fast)",
        measured: "3.00×",
        met: false,
      },
    ]);
  });

  it("is listed as worse where the shorter job falls short of it", () => {
    const rows = [...ours({ short: 2000 }), peer("fast", LOADS.shortAt256, 1000)];
    expect(worseThroughput(rows, LOADS)).toEqual([
      expect.stringMatching(/600 objects: Tranship, objects only .*\(fast\): 2\.00×, less than 3×/),
      expect.stringMatching(/600 objects: Tranship, with rows .*\(fast\): 2\.00×, less than 3×/),
    ]);
    const fastEnough = [...ours({ short: 3000 }), peer("fast", LOADS.shortAt256, 1000)];
    expect(worseThroughput(fastEnough, LOADS)).toEqual([]);
  });

  it("is not asked where no peer took part", () => {
    expect(ratiosOf(ours())).toEqual([]);
    expect(worseThroughput(ours(), LOADS)).toEqual([]);
  });
});

describe("budgets of one object", () => {
  it.each([
    ["S3 requests an object, inventory from the bucket", OURS.plain, { requestsPerObject: 1.021 }],
    ["S3 requests an object, inventory from the database", OURS.withRows, { requestsPerObject: 1.051 }],
    ["CPU an object, MariaDB reference and ledger", OURS.withRows, { cpuMsPerObject: 0.201 }],
    ["CPU an object, MariaDB reference, SQLite ledger", OURS.sqliteLedger, { cpuMsPerObject: 0.201 }],
    [`${SHARE}: ${OURS.plain}`, OURS.plain, { activeShareOfBound: 0.899 }],
    [`${SHARE}: ${OURS.withRows}`, OURS.withRows, { activeShareOfBound: 0.899 }],
  ])("%s: missed by its own row alone", (what, name, more) => {
    const unmet = (rows: readonly ThroughputRow[]) =>
      throughputBudgets(rows, LOADS).filter(({ met }) => !met);
    expect(unmet(ours())).toEqual([]);
    const rows = ours().map((one) =>
      one.name === name && one.load === LOADS.at64 ? { ...one, ...more } : one,
    );
    expect(unmet(rows).map((line) => line.what)).toEqual([what]);
  });

  it.each([
    [OURS.plain, LOADS.at64],
    [OURS.withRows, LOADS.at64],
    [OURS.sqliteLedger, LOADS.at64],
    [OURS.plain, LOADS.longAt256],
    [OURS.withRows, LOADS.longAt256],
  ])("are not left out where %s was not measured with %o", (name, load) => {
    const rows = ours().filter((one) => one.name !== name || one.load !== load);
    expect(() => throughputBudgets(rows, LOADS)).toThrow(
      `no row of "${name}" with ${load.objects} objects at ${load.concurrency}`,
    );
  });
});

describe("what is worse", () => {
  it("is a share of the bound that is too small with start-up and closing, though met between them", () => {
    const rows = ours().map((one) =>
      one.name === OURS.withRows && one.load === LOADS.at64 ? { ...one, shareOfBound: 0.892 } : one,
    );
    expect(worseThroughput(rows, LOADS)).toEqual([
      `${SHARE}, whole process: ${OURS.withRows}: 89.2 %, less than 90 %.`,
    ]);
    expect(throughputBudgets(rows, LOADS).every(({ met }) => met)).toBe(true);
  });

  it("is every figure in which a peer under the same load, or one without concurrency, is ahead", () => {
    const rows = [
      ...ours(),
      peer("lean", LOADS.at64, 10, { peakMb: 90 }),
      peer("slow", LOADS.at64, 10),
      peer("single", LOADS.at64, 10, { concurrent: false, requestsPerObject: 1 }),
      peer("busy", LOADS.longAt256, 3500, { activeObjectsPerSecond: 3000 }),
    ];
    const worse = worseThroughput(rows, LOADS);
    expect(worse.filter((line) => line.startsWith("requests an object"))).toHaveLength(7);
    expect(worse.filter((line) => !line.startsWith("requests an object"))).toEqual([
      ...[OURS.plain, OURS.withRows, OURS.sqliteLedger].map(
        (name) => `peak memory: ${name} at 64, 600 objects: 180 MB; lean 90.0 MB.`,
      ),
      ...[OURS.plain, OURS.withRows].map(
        (name) => `objects a second, whole process: ${name} at 256, 2,000 objects: 3,000; busy 3,500.`,
      ),
    ]);
  });
});
