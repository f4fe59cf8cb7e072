/** What the rows on many small objects say about the project's budgets, and where a peer is ahead. */

import { figure, percent, thousandths, times } from "./figures.ts";
import type { Load, ThroughputRow } from "./measure-throughput.ts";
import type { BudgetLine } from "./section.ts";
import { fastestPeer, isOurs, type Loads, OURS, ourRow, peersUnder } from "./throughput-rows.ts";

/** How many times as fast as the fastest peer Tranship is to be at 256. */
const LEAST_TIMES_AS_FAST = 3;
/**
 * How much of its concurrency Tranship is to use between the first copy and the last write: start-up and closing are no
 * pipeline's.
 */
const LEAST_SHARE = 0.9;
const SHARE = "share of concurrency ÷ latency at 64 and 20 ms";

/** Every budget of this section; those against peers only where a peer took part. Throws where a row of ours is missing. */
export function throughputBudgets(rows: readonly ThroughputRow[], loads: Loads): BudgetLine[] {
  const plain = ourRow(rows, OURS.plain, loads.at64);
  const withRows = ourRow(rows, OURS.withRows, loads.at64);
  const sqliteLedger = ourRow(rows, OURS.sqliteLedger, loads.at64);
  return [
    atMost("S3 requests an object, inventory from the bucket", plain.requestsPerObject, 1.02),
    atMost("S3 requests an object, inventory from the database", withRows.requestsPerObject, 1.05),
    atMost("CPU an object, MariaDB reference and ledger", withRows.cpuMsPerObject, 0.2, " ms"),
    atMost("CPU an object, MariaDB reference, SQLite ledger", sqliteLedger.cpuMsPerObject, 0.2, " ms"),
    ...[plain, withRows].map((row) => ({
      what: `${SHARE}: ${row.name}`,
      budget: `≥ ${LEAST_SHARE * 100} %`,
      measured: `${percent(row.activeShareOfBound)} (whole process ${percent(row.shareOfBound)})`,
      met: row.activeShareOfBound >= LEAST_SHARE,
    })),
    ...comparisons(rows, loads.longAt256).map(({ what, ratio }) => ({
      what,
      budget: `≥ ${LEAST_TIMES_AS_FAST}×`,
      measured: times(ratio),
      met: ratio >= LEAST_TIMES_AS_FAST,
    })),
  ];
}

/**
 * Every figure in which a peer is ahead; the ratio at 256 of the short job, and the share of the bound with start-up and
 * closing, where they are below what is asked of the long job and of the time between.
 */
export function worseThroughput(rows: readonly ThroughputRow[], loads: Loads): string[] {
  const ahead = rows.filter(isOurs).flatMap((ours) =>
    MEASURES.flatMap(({ what, value, more, text }) => {
      const better = peersUnder(rows, ours.load).filter((peer) =>
        more ? value(peer) > value(ours) : value(peer) < value(ours),
      );
      if (better.length === 0) return [];
      const theirs = better.map((peer) => `${peer.name} ${text(value(peer))}`).join(", ");
      const where = `${ours.name} at ${ours.load.concurrency}, ${figure(ours.load.objects)} objects`;
      return [`${what}: ${where}: ${text(value(ours))}; ${theirs}.`];
    }),
  );
  const short = comparisons(rows, loads.shortAt256)
    .filter(({ ratio }) => ratio < LEAST_TIMES_AS_FAST)
    .map(({ what, ratio }) => `${what}: ${times(ratio)}, less than ${LEAST_TIMES_AS_FAST}×.`);
  const whole = [OURS.plain, OURS.withRows]
    .map((name) => ourRow(rows, name, loads.at64))
    .filter(({ shareOfBound }) => shareOfBound < LEAST_SHARE)
    .map(
      ({ name, shareOfBound }) =>
        `${SHARE}, whole process: ${name}: ${percent(shareOfBound)}, less than ${LEAST_SHARE * 100} %.`,
    );
  return [...ahead, ...short, ...whole];
}

function atMost(what: string, value: number, budget: number, unit = ""): BudgetLine {
  const measured = `${thousandths(value)}${unit}`;
  return { what, budget: `≤ ${budget}${unit}`, measured, met: value <= budget };
}

/** Tranship without and with rows against the fastest peer under `load`; nothing where no peer took part. */
function comparisons(rows: readonly ThroughputRow[], load: Load): { what: string; ratio: number }[] {
  const ours = [OURS.plain, OURS.withRows].map((name) => ourRow(rows, name, load));
  const peer = fastestPeer(rows, load);
  if (peer === undefined) return [];
  return ours.map(({ name, objectsPerSecond }) => ({
    what: `objects a second at ${load.concurrency}, whole process, ${figure(load.objects)} objects: ${name} against the fastest peer (${peer.name})`,
    ratio: objectsPerSecond / peer.objectsPerSecond,
  }));
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
