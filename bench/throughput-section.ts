/** The section on many small objects: who runs, and what the rows mean. */

import { openApplicationDatabase } from "./application-database.ts";
import type { Contender } from "./contender.ts";
import { figure, percent, thousandths, times } from "./figures.ts";
import { measureThroughput, type ThroughputRow } from "./measure-throughput.ts";
import { installedPeers, PEERS } from "./peers.ts";
import type { Chart, Effort, Section, SectionReport } from "./section.ts";
import { isOurs, isSameLoad, type Loads, OURS, ourRow } from "./throughput-rows.ts";
import { throughputBudgets, worseThroughput } from "./throughput-verdicts.ts";
import { transhipContender } from "./tranship-contender.ts";

const LATENCY_MS = 20;
const BYTES = 1024;
const LOADS: Loads = {
  at64: { concurrency: 64, objects: 60_000 },
  shortAt256: { concurrency: 256, objects: 60_000 },
  longAt256: { concurrency: 256, objects: 200_000 },
};
/** A quick run is for working on the benchmark, but has the same rows. */
const QUICK_LOADS: Loads = {
  at64: { concurrency: 64, objects: 500 },
  shortAt256: { concurrency: 256, objects: 500 },
  longAt256: { concurrency: 256, objects: 1000 },
};

export const throughputSection: Section = { name: "throughput", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const database = await openApplicationDatabase();
  const loads = effort.quick ? QUICK_LOADS : LOADS;
  try {
    const contenders: Contender[] = [
      transhipContender({ name: OURS.plain, database: null, ledger: "sqlite" }),
      transhipContender({ name: OURS.withRows, database, ledger: "mariadb" }),
      ...(effort.peers ? installedPeers() : []),
    ];
    const rows = await measureThroughput({
      contenders,
      once: [transhipContender({ name: OURS.sqliteLedger, database, ledger: "sqlite" })],
      bytes: BYTES,
      latencyMs: LATENCY_MS,
      // The first is also what `once` and contenders without concurrency are measured under.
      loads: [loads.at64, loads.shortAt256, loads.longAt256],
      rounds: effort.quick ? 1 : 3,
      onRun: (run) =>
        effort.tell(
          `${run.name}, concurrency ${run.concurrency}: ${run.objects} objects in ${figure(run.seconds)} s, ${figure(run.cpuMs / run.objects)} ms CPU and ${figure(run.requests / run.objects)} requests each`,
        ),
    });
    return reportOf(rows, loads);
  } finally {
    await database.close();
  }
}

function reportOf(rows: readonly ThroughputRow[], loads: Loads): SectionReport {
  return {
    title: "Many small objects",
    text: [
      `Objects of ${BYTES} bytes move from one bucket and prefix to another on a store that waits ${LATENCY_MS} ms before each answer; everyone must leave the source empty and the target full, by copies on the store's side. Contenders run in turn, each on a fresh store, the order turned round after each round; figures are medians.`,
      `"Objects only" is a job without references (inventory from the bucket, SQLite ledger). "With rows" takes the inventory from a MariaDB table, keeps its rows pointing at the objects, and has its ledger in MariaDB too; the peers know of no rows. Tranship verifies every copy by listing the target; rclone by one HEAD each; aws-cli and s3cmd do not.`,
      `"Whole process" is from the start of the process to its end. Start-up and code that is not compiled yet weigh more in the shorter job at 256 than in the longer one, of which the ratio to the peers is asked. "Active" is from the first copy that the store received to the last write. The bound is concurrency ÷ latency, as if an object cost one request. Slow peers move a share of the objects asked (see the columns), which costs them a little of the whole-process figure for start-up; their active figure does not have that.`,
      ...PEERS.map(({ name, settings }) => `${name}: ${settings}.`),
      "s5cmd is not among Debian's packages and therefore not here.",
    ],
    tables: [
      {
        head: [
          "contender",
          "concurrency",
          "objects asked",
          "moved × rounds",
          "objects/s, whole process (slowest–fastest)",
          "objects/s, active",
          "of the bound, whole / active",
          "Tranship with rows is … as fast",
          "CPU ms an object",
          "requests an object",
          "peak MB",
        ],
        rows: rows.map((row) => cellsOf(row, rows)),
      },
    ],
    charts: chartsOf(rows, loads),
    budgets: throughputBudgets(rows, loads),
    worse: worseThroughput(rows, loads),
  };
}

function cellsOf(row: ThroughputRow, rows: readonly ThroughputRow[]): string[] {
  const ours = ourRow(rows, OURS.withRows, row.load);
  return [
    row.name,
    row.concurrent ? String(row.load.concurrency) : "1",
    figure(row.load.objects),
    `${figure(row.objects)} × ${row.rounds}`,
    `${figure(row.objectsPerSecond)} (${figure(row.slowest)}–${figure(row.fastest)})`,
    figure(row.activeObjectsPerSecond),
    `${percent(row.shareOfBound)} / ${percent(row.activeShareOfBound)}`,
    times(ours.objectsPerSecond / row.objectsPerSecond),
    figure(row.cpuMsPerObject),
    thousandths(row.requestsPerObject),
    figure(row.peakMb),
  ];
}

function chartsOf(rows: readonly ThroughputRow[], loads: Loads): Chart[] {
  const chart = (title: string, shown: readonly ThroughputRow[], value: (row: ThroughputRow) => number) => ({
    title,
    bars: shown.map((row) => ({
      label: `${row.name} (${row.concurrent ? row.load.concurrency : 1}, ${figure(row.objects)})`,
      value: value(row),
      text: figure(value(row)),
      ours: isOurs(row),
    })),
  });
  const first = rows.filter(({ load }) => isSameLoad(load, loads.at64));
  return [
    chart(
      "Objects a second, whole process, by concurrency and objects moved (more is better)",
      rows.filter(({ name }) => name !== OURS.sqliteLedger),
      (row) => row.objectsPerSecond,
    ),
    chart("CPU milliseconds an object, whole process (less is better)", first, (row) => row.cpuMsPerObject),
    chart(
      "S3 requests an object, counted at the store (less is better)",
      first,
      (row) => row.requestsPerObject,
    ),
  ];
}
