/** Many small objects: speed, requests, CPU and memory of Tranship and its peers, in turn, on the same store. */

import { figure, percent, thousandths, times } from "../figures.ts";
import { medianOf } from "../latencies.ts";
import type { Contender } from "../peers/contender.ts";
import { installedPeers, PEERS } from "../peers/debian-peers.ts";
import { type ContenderLoad, type ContenderRun, LATENCY_MS, runInTurn } from "../peers/run-contender.ts";
import { type TranshipVariant, transhipContender } from "../peers/tranship-contender.ts";
import type { Effort, Figures, Section, SectionReport } from "../section.ts";
import { openApplicationDatabase } from "../worlds/application-database.ts";

/** Tranship's forms in this section. */
export const OURS = {
  plain: "Tranship, objects only",
  withRows: "Tranship, with rows",
  sqliteLedger: "Tranship, with rows, SQLite ledger",
} as const;

/** Medians over the rounds of one contender under one load. */
export interface ThroughputRow {
  readonly name: string;
  readonly load: Pick<ContenderLoad, "concurrency" | "objects">;
  /** False where the contender works one request at a time; its row stands for every load. */
  readonly concurrent: boolean;
  /** How many it moved: those of the load times its share. */
  readonly objects: number;
  readonly rounds: number;
  /** Over the whole process, from its start to its end. */
  readonly objectsPerSecond: number;
  /** From the first copy that the store received to the last write. */
  readonly activeObjectsPerSecond: number;
  /** The slowest and the fastest round, whole process. */
  readonly slowest: number;
  readonly fastest: number;
  /** `objectsPerSecond` and `activeObjectsPerSecond` as shares of concurrency ÷ latency. */
  readonly shareOfBound: number;
  readonly activeShareOfBound: number;
  readonly cpuMsPerObject: number;
  readonly requestsPerObject: number;
  readonly peakMb: number;
}

const BYTES = 1024;

export const throughputSection: Section = { name: "throughput", measure };

/**
 * The first load tells what an object costs; contenders without concurrency, and the form with rows and SQLite, have
 * only this one. The second is over within seconds, so that start-up and code not compiled yet can be seen in it. The
 * last is nearer to the jobs that Tranship is made for: the ratio to the peers is asked of it.
 */
function loadsOf({ quick }: Effort): ContenderLoad[] {
  const load = (concurrency: number, objects: number) => ({ concurrency, objects, bytes: BYTES });
  return quick
    ? [load(64, 500), load(256, 500), load(256, 1000)]
    : [load(64, 60_000), load(256, 60_000), load(256, 200_000)];
}

async function measure(effort: Effort): Promise<SectionReport> {
  const database = await openApplicationDatabase();
  try {
    const forms: TranshipVariant[] = [
      { name: OURS.plain, database: null, ledger: "sqlite" },
      { name: OURS.withRows, database, ledger: "mariadb" },
    ];
    const { dist, against } = effort;
    const all = [
      ...forms.map((form) => transhipContender(dist, form)),
      ...(against === null
        ? []
        : forms.map((form) => transhipContender(against, { ...form, name: `${form.name}, other build` }))),
      ...(effort.peers ? installedPeers() : []),
    ];
    const once = transhipContender(dist, { name: OURS.sqliteLedger, database, ledger: "sqlite" });
    const rows: ThroughputRow[] = [];
    for (const [place, load] of loadsOf(effort).entries()) {
      const contenders = place === 0 ? [...all, once] : all.filter(({ concurrent }) => concurrent);
      const runs = await runInTurn(contenders, load, effort.quick ? 1 : 3, effort);
      rows.push(...[...runs].map(([contender, done]) => rowOf(contender, load, done)));
    }
    return reportOf(rows);
  } finally {
    await database.close();
  }
}

function rowOf(
  { name, concurrent }: Contender,
  load: ContenderLoad,
  runs: readonly ContenderRun[],
): ThroughputRow {
  const middle = (value: (run: ContenderRun) => number) => medianOf(runs.map(value));
  const rates = runs.map((run) => run.objects / run.seconds);
  const objectsPerSecond = medianOf(rates);
  const activeObjectsPerSecond = middle((run) => run.objects / run.activeSeconds);
  const bound = (concurrent ? load.concurrency : 1) / (LATENCY_MS / 1000);
  return {
    ...{ name, load, concurrent, objects: runs[0]?.objects ?? 0, rounds: runs.length },
    ...{ objectsPerSecond, activeObjectsPerSecond },
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
    shareOfBound: objectsPerSecond / bound,
    activeShareOfBound: activeObjectsPerSecond / bound,
    cpuMsPerObject: middle((run) => run.cpuMs / run.objects),
    requestsPerObject: middle((run) => run.requests / run.objects),
    peakMb: middle((run) => run.peakMb),
  };
}

/** What the budgets bound: an object's cost under the first load, the ratio to the fastest peer under the last. */
export function throughputFigures(rows: readonly ThroughputRow[]): Figures {
  const [first, last] = [rows[0]?.load, rows.at(-1)?.load];
  const ours = (name: string, load = first) => rowUnder(rows, name, load);
  const peers = rows.filter((row) => !row.name.startsWith("Tranship") && row.load === last);
  const fastest = Math.max(...peers.map((row) => row.objectsPerSecond));
  const ratio = (name: string) => (peers.length === 0 ? null : ours(name, last).objectsPerSecond / fastest);
  return {
    "S3 requests an object, inventory from the bucket": ours(OURS.plain).requestsPerObject,
    "S3 requests an object, inventory from the database": ours(OURS.withRows).requestsPerObject,
    "CPU an object, MariaDB reference and ledger": ours(OURS.withRows).cpuMsPerObject,
    "CPU an object, MariaDB reference, SQLite ledger": ours(OURS.sqliteLedger).cpuMsPerObject,
    "share of concurrency ÷ latency at 64, objects only": ours(OURS.plain).activeShareOfBound,
    "share of concurrency ÷ latency at 64, with rows": ours(OURS.withRows).activeShareOfBound,
    "objects a second at 256 against the fastest peer, objects only": ratio(OURS.plain),
    "objects a second at 256 against the fastest peer, with rows": ratio(OURS.withRows),
  };
}

/** Throws where the row is missing, since no budget of ours may be left out. */
function rowUnder(rows: readonly ThroughputRow[], name: string, load: ThroughputRow["load"] | undefined) {
  const found = rows.find((row) => row.name === name && row.load === load);
  if (found === undefined)
    throw new Error(`no row of "${name}" with ${load?.objects} at ${load?.concurrency}`);
  return found;
}

function reportOf(rows: readonly ThroughputRow[]): SectionReport {
  return {
    title: "Many small objects",
    text: [
      `Objects of ${BYTES} bytes move from one bucket and prefix to another on a store that waits ${LATENCY_MS} ms before each answer; everyone must leave the source empty and the target full, by copies on the store's side. Contenders run in turn, each on a fresh store, the order turned round after each round; figures are medians.`,
      `"Objects only" is a job without references (inventory from the bucket, SQLite ledger). "With rows" takes the inventory from a MariaDB table, keeps its rows pointing at the objects, and has its ledger in MariaDB too; the peers know of no rows. Tranship verifies every copy by listing the target; rclone by one HEAD each; aws-cli and s3cmd do not.`,
      `"Whole process" is from the start of the process to its end; "active" from the first copy that the store received to the last write, of which the share of the bound (concurrency ÷ latency) is asked. The ratio to the peers is asked of the longest job, whole process. Slow peers move a share of the objects asked (see the columns), which costs them a little of the whole-process figure.`,
      PEERS.map(({ name, settings }) => `${name}: ${settings}.`).join(" "),
    ].join(" "),
    table: {
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
    figures: throughputFigures(rows),
  };
}

function cellsOf(row: ThroughputRow, rows: readonly ThroughputRow[]): string[] {
  const ours = rowUnder(rows, OURS.withRows, row.load);
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
