/** What the figures on the production database say about the project's budgets, and where a per-row script disturbs less. */

import type { DatabaseFigures } from "./database-figures.ts";
import { figure, times } from "./figures.ts";
import type { BudgetLine } from "./section.ts";

/** How many times the p99 beside a job without references it may be beside the same job with one. */
const MOST_TIMES_P99 = 1.25;
/** Four, and the look after the deletion. */
const MOST_STATEMENTS = 5;
const MOST_REWRITE_MS = 50;

/** Every budget of this section. */
export function databaseBudgets(figures: DatabaseFigures): BudgetLine[] {
  const { p99Ratio, scriptP99Ratio, longestRewriteMs, situations } = figures;
  const { statementsPerThousand } = situations["job with its reference"];
  return [
    {
      what: "the application's p99 beside the job against the same job without references",
      budget: `≤ ${MOST_TIMES_P99}×`,
      measured: `${times(p99Ratio)} (per-row script ${times(scriptP99Ratio)})`,
      met: p99Ratio <= MOST_TIMES_P99,
    },
    {
      what: "production statements for 1,000 objects",
      budget: `≤ ${MOST_STATEMENTS}`,
      measured: figure(statementsPerThousand),
      met: statementsPerThousand <= MOST_STATEMENTS,
    },
    {
      what: "the longest rewriting statement",
      budget: `≤ ${MOST_REWRITE_MS} ms`,
      measured: `${figure(longestRewriteMs)} ms`,
      met: longestRewriteMs <= MOST_REWRITE_MS,
    },
  ];
}

/** Every quantile at which the application waits longer beside the job than beside the script, which moves no objects. */
export function worseForTheDatabase({ situations }: DatabaseFigures): string[] {
  const ours = situations["job with its reference"].latencies;
  const theirs = situations["per-row script"].latencies;
  return (["p50", "p95", "p99", "max"] as const)
    .filter((quantile) => theirs[quantile] < ours[quantile])
    .map(
      (quantile) =>
        `${quantile} of the application: ${figure(ours[quantile])} ms beside the job with its reference, ${figure(theirs[quantile])} ms beside the per-row script, which moves no objects.`,
    );
}
