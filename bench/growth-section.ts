/** The section on jobs of growing size. */

import { fileURLToPath } from "node:url";
import { openApplicationDatabase } from "./application-database.ts";
import { figure, thousandths } from "./figures.ts";
import { growthBudgets, worseGrowth } from "./growth-verdicts.ts";
import { type GrowthRow, measureGrowth } from "./measure-growth.ts";
import type { Effort, Section, SectionReport } from "./section.ts";

export const growthSection: Section = { name: "growth", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const database = await openApplicationDatabase();
  try {
    const rows = await measureGrowth({
      sizes: effort.quick ? [2000, 4000] : [10_000, 100_000, 1_000_000, ...(effort.long ? [10_000_000] : [])],
      dist: fileURLToPath(new URL("..", import.meta.url)),
      concurrency: 128,
      latencyMs: 20,
      databaseUrl: database.url,
      mostRows: 1_000_000,
      onRow: (row) =>
        effort.tell(`growth: ${figure(row.objects)} objects at ${figure(row.objectsPerSecond)} a second`),
    });
    return reportOf(rows, effort);
  } finally {
    await database.close();
  }
}

function reportOf(rows: readonly GrowthRow[], effort: Effort): SectionReport {
  return {
    title: "Growth",
    text: [
      "One job after the other through the service's API, on a store that makes its objects from numbers and needs no memory for them; rows in MariaDB name the objects (up to a million of them), the ledger is SQLite. What one object costs must not grow with their number. One run each.",
      ...(effort.long
        ? []
        : ["Ten million objects take half an hour: `npm run bench -- --only growth --long`."]),
    ],
    tables: [
      {
        head: [
          "objects",
          "rows",
          "objects/s",
          "CPU ms an object",
          "peak MB",
          "MB early / late",
          "ledger bytes an object",
          "statements for 1,000",
          "requests an object",
          "first copy ms",
          "API p50 / p99 ms",
        ],
        rows: rows.map((row) => [
          figure(row.objects),
          row.withRows ? "yes" : "no",
          figure(row.objectsPerSecond),
          figure(row.cpuMsPerObject),
          figure(row.rssPeakMb),
          `${figure(row.rssEarlyMb)} / ${figure(row.rssLateMb)}`,
          figure(row.ledgerBytesPerObject),
          figure(row.statementsPerThousand),
          thousandths(row.requestsPerObject),
          figure(row.firstCopyMs),
          `${figure(row.apiP50Ms)} / ${figure(row.apiP99Ms)}`,
        ]),
      },
    ],
    charts: [chart("Peak memory in MB by objects (flat is good)", rows, (row) => row.rssPeakMb)],
    budgets: growthBudgets(rows),
    worse: worseGrowth(rows),
  };
}

function chart(title: string, rows: readonly GrowthRow[], value: (row: GrowthRow) => number) {
  const bars = rows.map((row) => ({
    label: `${figure(row.objects)} objects`,
    value: value(row),
    text: figure(value(row)),
    ours: true,
  }));
  return { title, bars };
}
