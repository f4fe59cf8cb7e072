/** The section on what the production database's other users feel. */

import { fileURLToPath } from "node:url";
import type { SituationRun } from "./database-figures.ts";
import { figure, times } from "./figures.ts";
import { measureDatabase } from "./measure-database.ts";
import type { Effort, Section, SectionReport } from "./section.ts";

export const databaseSection: Section = { name: "database", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const objectsPerSecond = effort.quick ? 500 : 3000;
  const figures = await measureDatabase({
    dist: fileURLToPath(new URL("..", import.meta.url)),
    rounds: 3,
    seconds: effort.quick ? 2 : 10,
    objectsPerSecond,
    rows: effort.quick ? 100_000 : 1_000_000,
    workload: { operationsPerSecond: effort.quick ? 100 : 400, connections: 16 },
    onRun: (run) => effort.tell(`database, ${run.situation}: p99 ${figure(run.latencies.p99)} ms`),
  });
  const runs = Object.values(figures.situations);
  const { statementsPerThousand } = figures.situations["job with its reference"];
  return {
    title: "The production database",
    text: [
      `An application reads and writes the table at a fixed rate while nothing goes on, while a job without references runs at ${figure(objectsPerSecond)} objects a second, while the same job keeps its rows, and while a script updates them row by row. Rounds alternate; figures are medians, the longest statement is that of all rounds.`,
    ],
    tables: [
      {
        head: [
          "beside the application",
          "p50 ms",
          "p95 ms",
          "p99 ms",
          "max ms",
          "objects/s",
          "statements for 1,000",
          "longest rewrite ms",
        ],
        rows: runs.map(cellsOf),
      },
    ],
    charts: [
      {
        title: "The application's p99 in ms (less is better)",
        bars: runs.map(({ situation, latencies }) => ({
          label: situation,
          value: latencies.p99,
          text: figure(latencies.p99),
          ours: situation.startsWith("job"),
        })),
      },
    ],
    budgets: [
      {
        what: "the application's p99 beside the job against the same job without references",
        budget: "≤ 1.25×",
        measured: `${times(figures.p99Ratio)} (per-row script ${times(figures.scriptP99Ratio)})`,
        met: figures.p99Ratio <= 1.25,
      },
      {
        what: "production statements for 1,000 objects",
        budget: "≤ 3",
        measured: figure(statementsPerThousand),
        met: statementsPerThousand <= 3,
      },
      {
        what: "the longest rewriting statement",
        budget: "≤ 50 ms",
        measured: `${figure(figures.longestRewriteMs)} ms`,
        met: figures.longestRewriteMs <= 50,
      },
    ],
    worse: [],
  };
}

function cellsOf(run: SituationRun): string[] {
  const { p50, p95, p99, max } = run.latencies;
  const isJob = run.situation !== "idle";
  return [
    run.situation,
    ...[p50, p95, p99, max].map(figure),
    isJob ? figure(run.objectsPerSecond) : "–",
    isJob ? figure(run.statementsPerThousand) : "–",
    isJob ? figure(run.rewrites.max) : "–",
  ];
}
