/** What the rows on jobs of growing size say about the project's budgets. */

import { figure, percent } from "./figures.ts";
import type { GrowthRow } from "./measure-growth.ts";
import type { BudgetLine } from "./section.ts";

/** The p99 of answers to somebody who watches a job may be this much. */
const MOST_API_MS = 50;
/** Jobs of so many objects outlast the time in which their code is compiled. */
const LASTING = 100_000;

/** The budgets of growing jobs; those on jobs that last, of 100,000 objects and more, only where there are such. */
export function growthBudgets(rows: readonly GrowthRow[]): BudgetLine[] {
  const most = (value: (row: GrowthRow) => number) => Math.max(...rows.map(value));
  const atMost = (what: string, value: number, budget: number, unit: string): BudgetLine => ({
    what,
    budget: `≤ ${budget} ${unit}`,
    measured: `${figure(value)} ${unit}`,
    met: value <= budget,
  });
  const large = rows.filter(({ objects }) => objects >= LASTING);
  const peaks = large.map((row) => row.rssPeakMb);
  const growth = Math.max(...peaks) / Math.min(...peaks) - 1;
  const span = `${figure(large[0]?.objects ?? 0)} and ${figure(large.at(-1)?.objects ?? 0)} objects`;
  return [
    atMost(
      "resident memory, any size",
      most((row) => row.rssPeakMb),
      250,
      "MB",
    ),
    ...(large.length < 2
      ? []
      : [
          {
            what: `memory between ${span}`,
            budget: "within 10 %",
            measured: percent(growth),
            met: growth <= 0.1,
          },
        ]),
    atMost(
      "first copy after the submission, any size",
      most((row) => row.firstCopyMs),
      1000,
      "ms",
    ),
    ...(large.length === 0
      ? []
      : [
          atMost(
            `GET /jobs/:id p99 during the job, from ${figure(LASTING)} objects on`,
            Math.max(...large.map((row) => row.apiP99Ms)),
            MOST_API_MS,
            "ms",
          ),
        ]),
    atMost("ledger on disk for one object", rows.at(-1)?.ledgerBytesPerObject ?? 0, 120, "bytes"),
  ];
}

/** A sentence for every job, of any size, in which answers took longer than they may. */
export function worseGrowth(rows: readonly GrowthRow[]): string[] {
  return rows
    .filter(({ apiP99Ms }) => apiP99Ms > MOST_API_MS)
    .map(
      ({ objects, apiP99Ms }) =>
        `GET /jobs/:id during a job of ${figure(objects)} objects: p99 ${figure(apiP99Ms)} ms, more than ${MOST_API_MS} ms.`,
    );
}
