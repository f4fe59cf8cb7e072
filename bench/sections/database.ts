/** What the production database's other users feel of a relocation: nothing, a job without rows, one with, a script. */

import { figure } from "../figures.ts";
import { type Latencies, medianOf } from "../latencies.ts";
import type { Effort, Figures, Section, SectionReport } from "../section.ts";
import { measureSituations, SITUATIONS, type Situation, type SituationRun } from "./measure-situations.ts";

export const databaseSection: Section = { name: "database", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const objectsPerSecond = effort.quick ? 500 : 3000;
  const runs = await measureSituations(effort, {
    // A p99 of 4,000 operations is that of 40; single rounds differ by a third.
    rounds: effort.quick ? 1 : 5,
    seconds: effort.quick ? 2 : 10,
    objectsPerSecond,
    rows: effort.quick ? 100_000 : 1_000_000,
    workload: { operationsPerSecond: effort.quick ? 100 : 400, connections: 16 },
  });
  return {
    title: "The production database",
    text: `An application reads and writes the table at a fixed rate while nothing goes on, while a job without references runs at ${figure(objectsPerSecond)} objects a second, while the same job keeps its rows, and while a script updates them row by row. Rounds alternate; figures are medians, the ratio of the p99s too is that of each round, maxima are those of all rounds. Statements over fewer than 100 rows are not in the longest.`,
    table: {
      head: [
        "beside the application",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "objects/s",
        "statements for 1,000",
        "longest read / rewrite ms",
      ],
      rows: SITUATIONS.map((situation) => cellsOf(situation, runs)),
    },
    figures: databaseFigures(runs),
  };
}

/** What the budgets bound. Rounds are compared within themselves, so that a slow one does not count against one side. */
export function databaseFigures(runs: readonly SituationRun[]): Figures {
  const withReference = runsOf("job with its reference", runs);
  const without = runsOf("job without references", runs);
  const ratios = withReference.map(
    (run, round) => run.latencies.p99 / (without[round]?.latencies.p99 ?? Number.NaN),
  );
  return {
    "the application's p99 beside the job against the job without references": medianOf(ratios),
    "production statements for 1,000 objects with one reference": medianOf(
      withReference.map((run) => run.statementsPerThousand),
    ),
    "longest production statement": longest(withReference, "longestReadMs", "longestRewriteMs"),
  };
}

function cellsOf(situation: Situation, all: readonly SituationRun[]): string[] {
  const runs = runsOf(situation, all);
  const middle = (value: (run: SituationRun) => number) => figure(medianOf(runs.map(value)));
  const quantiles: (keyof Latencies)[] = ["p50", "p95", "p99"];
  const isIdle = situation === "idle";
  return [
    situation,
    ...quantiles.map((quantile) => middle((run) => run.latencies[quantile])),
    figure(Math.max(...runs.map((run) => run.latencies.max))),
    isIdle ? "–" : middle((run) => run.objectsPerSecond),
    isIdle ? "–" : middle((run) => run.statementsPerThousand),
    isIdle ? "–" : `${figure(longest(runs, "longestReadMs"))} / ${figure(longest(runs, "longestRewriteMs"))}`,
  ];
}

function runsOf(situation: Situation, runs: readonly SituationRun[]): SituationRun[] {
  return runs.filter((run) => run.situation === situation);
}

function longest(
  runs: readonly SituationRun[],
  ...figures: ("longestReadMs" | "longestRewriteMs")[]
): number {
  return Math.max(...runs.flatMap((run) => figures.map((name) => run[name])));
}
