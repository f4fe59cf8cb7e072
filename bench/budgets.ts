/** The project's budgets as data, and what was measured of each. */

import { bytes, figure, megabytes, milliseconds, percent, thousandths, times } from "./figures.ts";
import type { Figures } from "./section.ts";

export interface Budget {
  /** The section that measures it. */
  readonly section: string;
  /** The name of the figure in the section's report. */
  readonly figure: string;
  /** Whether the figure may not be above the bound (`≤`), or not below it (`≥`). */
  readonly relation: "≤" | "≥";
  readonly bound: number;
  /** Writes bound and figure with their unit. */
  readonly print: (value: number) => string;
  /** The decision (docs/decisions) that explains the bound. */
  readonly decision: number;
}

type Line = [section: string, figure: string, relation: "≤" | "≥", bound: number, Budget["print"], number];

const LINES: readonly Line[] = [
  ["throughput", "S3 requests an object, inventory from the bucket", "≤", 1.02, thousandths, 23],
  ["throughput", "S3 requests an object, inventory from the database", "≤", 1.02, thousandths, 23],
  ["throughput", "CPU an object, MariaDB reference and ledger", "≤", 0.2, milliseconds, 8],
  ["throughput", "CPU an object, MariaDB reference, SQLite ledger", "≤", 0.2, milliseconds, 8],
  ["throughput", "share of concurrency ÷ latency at 64, objects only", "≥", 0.9, percent, 11],
  ["throughput", "share of concurrency ÷ latency at 64, with rows", "≥", 0.9, percent, 11],
  ["throughput", "objects a second at 256 against the fastest peer, objects only", "≥", 3, times, 11],
  ["throughput", "objects a second at 256 against the fastest peer, with rows", "≥", 3, times, 11],
  ["throttled", "share of a store's write rate used, after 5 s", "≥", 0.97, percent, 9],
  ["throttled", "share of writes rejected, after 5 s", "≤", 0.01, percent, 9],
  ["listing", "planning from a bucket against one stream", "≥", 5, times, 10],
  [
    "database",
    "the application's p99 beside the job against the job without references",
    "≤",
    1.5,
    times,
    13,
  ],
  ["database", "production statements for 1,000 objects with one reference", "≤", 4, figure, 13],
  ["database", "longest production statement", "≤", 50, milliseconds, 13],
  ["growth", "resident memory, any size", "≤", 250, megabytes, 12],
  ["growth", "growth of memory from 100,000 objects on", "≤", 0.1, percent, 12],
  ["growth", "first copy after the submission, any size", "≤", 1000, milliseconds, 11],
  ["growth", "GET /jobs/:id p99 during the job, from 100,000 objects on", "≤", 50, milliseconds, 11],
  ["growth", "ledger on disk for one object", "≤", 120, bytes, 3],
];

export const BUDGETS: readonly Budget[] = LINES.map(([section, name, relation, bound, print, decision]) => {
  return { section, figure: name, relation, bound, print, decision };
});

/** A budget beside what was measured. */
export interface CheckedBudget {
  readonly budget: Budget;
  /** Null: this run was not to measure it. */
  readonly measured: number | null;
  readonly result: "met" | "missed" | "not measured";
}

/**
 * Every budget of the sections in `figures`, by section name. A figure that is no number misses its budget. Throws when a
 * section leaves a figure out, or reports one that no budget has.
 */
export function checkBudgets(figures: ReadonlyMap<string, Figures>): CheckedBudget[] {
  for (const [section, measured] of figures) {
    const names = BUDGETS.filter((budget) => budget.section === section).map((budget) => budget.figure);
    const odd = [...names, ...Object.keys(measured)].filter(
      (name) => !names.includes(name) || !(name in measured),
    );
    if (odd.length > 0) throw new Error(`section ${section}: budgets and figures differ: ${odd.join("; ")}`);
  }
  return BUDGETS.flatMap((budget): CheckedBudget[] => {
    const measured = figures.get(budget.section)?.[budget.figure];
    if (measured === undefined) return [];
    if (measured === null) return [{ budget, measured, result: "not measured" }];
    const isMet = budget.relation === "≤" ? measured <= budget.bound : measured >= budget.bound;
    return [{ budget, measured, result: isMet ? "met" : "missed" }];
  });
}
