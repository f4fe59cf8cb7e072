/** The section on a store that throttles. */

import { figure, percent } from "./figures.ts";
import { measureThrottled, type ThrottledRow } from "./measure-throttled.ts";
import { installedPeers } from "./peers.ts";
import type { BudgetLine, Effort, Section, SectionReport } from "./section.ts";
import { transhipContender } from "./tranship-contender.ts";

const WRITES_PER_SECOND = 1000;
const CONCURRENCY = 256;
const OURS = "Tranship";

export const throttledSection: Section = { name: "throttled", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const rows = await measureThrottled({
    contenders: [
      transhipContender({ name: OURS, database: null, ledger: "sqlite" }),
      // s3cmd stays far below the limit, doing one request at a time. aws-cli stays below it too, and moves fewer objects.
      ...(effort.peers ? installedPeers() : [])
        .filter(({ concurrent }) => concurrent)
        .map((peer) => ({ ...peer, share: peer.share < 1 ? 0.25 : 1 })),
    ],
    objects: effort.quick ? 500 : 15_000,
    writesPerSecond: WRITES_PER_SECOND,
    latencyMs: 20,
    concurrency: CONCURRENCY,
    rounds: effort.quick ? 1 : 3,
    onRun: (run) => effort.tell(`${run.name}: ${run.objects} objects in ${figure(run.seconds)} s, throttled`),
  });
  return {
    title: "A store that throttles",
    text: [
      `Each bucket takes ${figure(WRITES_PER_SECOND)} writes a second (a bulk delete costs one for each key) and answers 503 SlowDown to what is more; concurrency ${CONCURRENCY}, 20 ms. "Used" is the copies that the target bucket took, of those it would have taken, between the first copy and the last; "rejected" is the share of all write requests that got a 503.`,
    ],
    tables: [
      {
        head: [
          "contender",
          "objects × rounds",
          "seconds",
          "used",
          "used, after 5 s",
          "rejected",
          "rejected, after 5 s",
          "requests an object",
        ],
        rows: rows.map((row) => [
          row.name,
          `${figure(row.objects)} × ${row.rounds}`,
          figure(row.seconds),
          percent(row.shareUsed),
          percent(row.shareUsedLater),
          percent(row.shareRejected),
          percent(row.shareRejectedLater),
          figure(row.requestsPerObject),
        ]),
      },
    ],
    charts: [
      {
        title: "Share of the allowed writes that is used (more is better)",
        bars: rows.map((row) => bar(row, row.shareUsed)),
      },
      {
        title: "Share of writes rejected (less is better)",
        bars: rows.map((row) => bar(row, row.shareRejected)),
      },
    ],
    budgets: budgetsOf(rows),
    worse: worseOf(rows),
  };
}

const bar = ({ name }: ThrottledRow, share: number) => ({
  label: name,
  value: share,
  text: percent(share),
  ours: name === OURS,
});

function budgetsOf(rows: readonly ThrottledRow[]): BudgetLine[] {
  const ours = rows.find(({ name }) => name === OURS);
  if (ours === undefined || Number.isNaN(ours.shareUsedLater)) return [];
  return [
    {
      what: "share of a store's write rate used, after 5 s",
      budget: "≥ 97 %",
      measured: percent(ours.shareUsedLater),
      met: ours.shareUsedLater >= 0.97,
    },
    {
      what: "share of writes rejected, after 5 s",
      budget: "≤ 1 %",
      measured: percent(ours.shareRejectedLater),
      met: ours.shareRejectedLater <= 0.01,
    },
  ];
}

function worseOf(rows: readonly ThrottledRow[]): string[] {
  const ours = rows.find(({ name }) => name === OURS);
  if (ours === undefined) return [];
  const measures: readonly [string, (row: ThrottledRow) => number, boolean][] = [
    ["used", (row) => row.shareUsed, true],
    ["used after 5 s", (row) => row.shareUsedLater, true],
    ["rejected", (row) => row.shareRejected, false],
    ["rejected after 5 s", (row) => row.shareRejectedLater, false],
  ];
  return rows.flatMap((peer) =>
    measures
      .filter(([, value, more]) => (more ? value(ours) < value(peer) : value(ours) > value(peer)))
      .map(
        ([what, value]) =>
          `Throttled store, ${what}: Tranship ${percent(value(ours))}, ${peer.name} ${percent(value(peer))}.`,
      ),
  );
}
