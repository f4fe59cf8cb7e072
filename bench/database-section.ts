/** The section on what the production database's other users feel. */

import { fileURLToPath } from "node:url";
import type { SituationRun } from "./database-figures.ts";
import { databaseBudgets, worseForTheDatabase } from "./database-verdicts.ts";
import { figure } from "./figures.ts";
import { measureDatabase } from "./measure-database.ts";
import type { Effort, Section, SectionReport } from "./section.ts";

export const databaseSection: Section = { name: "database", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const objectsPerSecond = effort.quick ? 500 : 3000;
  const figures = await measureDatabase({
    dist: fileURLToPath(new URL("..", import.meta.url)),
    // A p99 of 4,000 operations is that of 40; single rounds differ by a third.
    rounds: effort.quick ? 3 : 5,
    seconds: effort.quick ? 2 : 10,
    objectsPerSecond,
    rows: effort.quick ? 100_000 : 1_000_000,
    workload: { operationsPerSecond: effort.quick ? 100 : 400, connections: 16 },
    onRun: (run) => effort.tell(`database, ${run.situation}: p99 ${figure(run.latencies.p99)} ms`),
  });
  const runs = Object.values(figures.situations);
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
    budgets: databaseBudgets(figures),
    worse: worseForTheDatabase(figures),
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
