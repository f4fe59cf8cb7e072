/** The section on many small objects: who runs, and what the rows mean. */

import { openApplicationDatabase } from "./application-database.ts";
import type { Contender } from "./contender.ts";
import { figure, percent, thousandths, times } from "./figures.ts";
import { type Load, measureThroughput, type ThroughputRow } from "./measure-throughput.ts";
import { installedPeers, PEERS } from "./peers.ts";
import type { BudgetLine, Chart, Effort, Section, SectionReport } from "./section.ts";
import { transhipContender } from "./tranship-contender.ts";

const PLAIN = "Tranship, objects only";
const WITH_ROWS = "Tranship, with rows";
const SQLITE_LEDGER = "Tranship, with rows, SQLite ledger";
const LATENCY_MS = 20;
const BYTES = 1024;
const AT_64: Load = { concurrency: 64, objects: 60_000 };
/** Over within seconds, of which start-up and first calls of all code are a good part. */
const SHORT_AT_256: Load = { concurrency: 256, objects: 60_000 };
/** A job as jobs are: they last longer than their start. What is asked of them is measured here. */
const LONG_AT_256: Load = { concurrency: 256, objects: 200_000 };
const QUICK_OBJECTS = 500;

export const throughputSection: Section = { name: "throughput", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const database = await openApplicationDatabase();
  try {
    const contenders: Contender[] = [
      transhipContender({ name: PLAIN, database: null, ledger: "sqlite" }),
      transhipContender({ name: WITH_ROWS, database, ledger: "mariadb" }),
      ...(effort.peers ? installedPeers() : []),
    ];
    const rows = await measureThroughput({
      contenders,
      once: [transhipContender({ name: SQLITE_LEDGER, database, ledger: "sqlite" })],
      bytes: BYTES,
      latencyMs: LATENCY_MS,
      loads: [AT_64, SHORT_AT_256, LONG_AT_256].map((load) => loadOf(load, effort)),
      rounds: effort.quick ? 1 : 3,
      onRun: (run) =>
        effort.tell(
          `${run.name}, concurrency ${run.concurrency}: ${run.objects} objects in ${figure(run.seconds)} s, ${figure(run.cpuMs / run.objects)} ms CPU and ${figure(run.requests / run.objects)} requests each`,
        ),
    });
    return reportOf(rows, effort);
  } finally {
    await database.close();
  }
}

/** A quick run is for working on the benchmark, but has the same rows. */
function loadOf(load: Load, { quick }: Effort): Load {
  return quick ? { ...load, objects: load === LONG_AT_256 ? 2 * QUICK_OBJECTS : QUICK_OBJECTS } : load;
}

function reportOf(rows: readonly ThroughputRow[], effort: Effort): SectionReport {
  return {
    title: "Many small objects",
    text: [
      `Objects of ${BYTES} bytes move from one bucket and prefix to another on a store that waits ${LATENCY_MS} ms before each answer; everyone must leave the source empty and the target full, by copies on the store's side. Contenders run in turn, each on a fresh store, the order turned round after each round; figures are medians.`,
      `"Objects only" is a job without references (inventory from the bucket, SQLite ledger). "With rows" takes the inventory from a MariaDB table, keeps its rows pointing at the objects, and has its ledger in MariaDB too; the peers know of no rows. Tranship verifies every copy by listing the target; rclone by one HEAD each; aws-cli and s3cmd do not.`,
      `"Whole process" is from the start of the process to its end, so the shorter job at 256 is in good part start-up; the budget is asked of the longer one. "Active" is from the first copy that the store received to the last write. The bound is concurrency ÷ latency, as if an object cost one request. Slow peers move fewer objects (see the column), which costs them a little of the whole-process figure for start-up; their active figure does not have that.`,
      ...PEERS.map(({ name, settings }) => `${name}: ${settings}.`),
      "s5cmd is not among Debian's packages and therefore not here.",
    ],
    tables: [
      {
        head: [
          "contender",
          "concurrency",
          "objects × rounds",
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
    charts: chartsOf(rows),
    budgets: budgetsOf(rows, effort),
    worse: worseOf(rows),
  };
}

function cellsOf(row: ThroughputRow, rows: readonly ThroughputRow[]): string[] {
  const ours = find(rows, WITH_ROWS, row.load);
  return [
    row.name,
    row.concurrent ? String(row.load.concurrency) : "1",
    `${figure(row.objects)} × ${row.rounds}`,
    `${figure(row.objectsPerSecond)} (${figure(row.slowest)}–${figure(row.fastest)})`,
    figure(row.activeObjectsPerSecond),
    `${percent(row.shareOfBound)} / ${percent(row.activeShareOfBound)}`,
    times((ours?.objectsPerSecond ?? Number.NaN) / row.objectsPerSecond),
    figure(row.cpuMsPerObject),
    thousandths(row.requestsPerObject),
    figure(row.peakMb),
  ];
}

function chartsOf(rows: readonly ThroughputRow[]): Chart[] {
  const chart = (title: string, shown: readonly ThroughputRow[], value: (row: ThroughputRow) => number) => ({
    title,
    bars: shown.map((row) => ({
      label: row.concurrent ? `${row.name} (${row.load.concurrency}, ${figure(row.load.objects)})` : row.name,
      value: value(row),
      text: figure(value(row)),
      ours: isOurs(row),
    })),
  });
  const first = rows.filter(({ load }) => load === rows[0]?.load);
  return [
    chart(
      "Objects a second, whole process, by concurrency and objects (more is better)",
      rows.filter(({ name }) => name !== SQLITE_LEDGER),
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

function budgetsOf(rows: readonly ThroughputRow[], effort: Effort): BudgetLine[] {
  const first = loadOf(AT_64, effort);
  const plain = find(rows, PLAIN, first);
  const withRows = find(rows, WITH_ROWS, first);
  const lines: BudgetLine[] = [];
  const most = (what: string, value: number | undefined, budget: number, unit = "") => {
    if (value === undefined) return;
    lines.push({
      what,
      budget: `≤ ${budget}${unit}`,
      measured: `${thousandths(value)}${unit}`,
      met: value <= budget,
    });
  };
  most("S3 requests an object, inventory from the bucket", plain?.requestsPerObject, 1.02);
  most("S3 requests an object, inventory from the database", withRows?.requestsPerObject, 1.05);
  most("CPU an object, MariaDB reference and ledger", withRows?.cpuMsPerObject, 0.2, " ms");
  most(
    "CPU an object, MariaDB reference, SQLite ledger",
    find(rows, SQLITE_LEDGER, first)?.cpuMsPerObject,
    0.2,
    " ms",
  );
  if (plain !== undefined) {
    const measured = `${percent(plain.activeShareOfBound)} (whole process ${percent(plain.shareOfBound)})`;
    const met = plain.activeShareOfBound >= 0.9;
    lines.push({ what: "share of concurrency ÷ latency at 64 and 20 ms", budget: "≥ 90 %", measured, met });
  }
  const long = loadOf(LONG_AT_256, effort);
  const peer = fastestPeer(rows, long);
  for (const name of [PLAIN, WITH_ROWS]) {
    const ours = find(rows, name, long);
    if (peer === undefined || ours === undefined) continue;
    const ratio = ours.objectsPerSecond / peer.objectsPerSecond;
    const what = `objects a second at 256, whole process, ${figure(long.objects)} objects: ${name} against the fastest peer (${peer.name})`;
    lines.push({ what, budget: "≥ 3×", measured: times(ratio), met: ratio >= 3 });
  }
  return lines;
}

/** What counts, in which direction, and how it is printed. */
const MEASURES: readonly {
  readonly what: string;
  readonly value: (row: ThroughputRow) => number;
  readonly more: boolean;
  readonly text: (value: number) => string;
}[] = [
  {
    what: "objects a second, whole process",
    value: (row) => row.objectsPerSecond,
    more: true,
    text: figure,
  },
  {
    what: "objects a second, active",
    value: (row) => row.activeObjectsPerSecond,
    more: true,
    text: figure,
  },
  {
    what: "CPU an object",
    value: (row) => row.cpuMsPerObject,
    more: false,
    text: (value) => `${figure(value)} ms`,
  },
  { what: "requests an object", value: (row) => row.requestsPerObject, more: false, text: thousandths },
  { what: "peak memory", value: (row) => row.peakMb, more: false, text: (value) => `${figure(value)} MB` },
];

function worseOf(rows: readonly ThroughputRow[]): string[] {
  return rows.filter(isOurs).flatMap((ours) =>
    MEASURES.flatMap(({ what, value, more, text }) => {
      const better = rows
        .filter((row) => !isOurs(row) && isSame(row.load, ours.load))
        .filter((peer) => (more ? value(peer) > value(ours) : value(peer) < value(ours)));
      if (better.length === 0) return [];
      const theirs = better.map((peer) => `${peer.name} ${text(value(peer))}`).join(", ");
      return [
        `${what}: ${ours.name} at ${ours.load.concurrency}, ${figure(ours.load.objects)} objects: ${text(value(ours))}; ${theirs}.`,
      ];
    }),
  );
}

const isOurs = ({ name }: ThroughputRow) => name.startsWith("Tranship");

const isSame = (one: Load, other: Load) =>
  one.concurrency === other.concurrency && one.objects === other.objects;

function find(rows: readonly ThroughputRow[], name: string, load: Load): ThroughputRow | undefined {
  return rows.find((row) => row.name === name && isSame(row.load, load));
}

function fastestPeer(rows: readonly ThroughputRow[], load: Load): ThroughputRow | undefined {
  return rows
    .filter((row) => !isOurs(row) && isSame(row.load, load))
    .toSorted((a, b) => b.objectsPerSecond - a.objectsPerSecond)[0];
}
