/** Jobs of growing size: what one object costs must not grow with their number. */

import { figure, thousandths } from "../figures.ts";
import type { Effort, Figures, Section, SectionReport } from "../section.ts";
import { openApplicationDatabase } from "../worlds/application-database.ts";
import { type GrowthRow, measureGrowth } from "./measure-growth.ts";

export const growthSection: Section = { name: "growth", measure };

/** Ten million rows would measure MariaDB's disk. */
const MOST_ROWS = 1_000_000;
/** Jobs of so many objects outlast the time in which their code is compiled. */
const LASTING = 100_000;

async function measure(effort: Effort): Promise<SectionReport> {
  const { quick, long, dist, tell } = effort;
  const sizes = quick ? [2000, 4000] : [10_000, 100_000, 1_000_000, ...(long ? [10_000_000] : [])];
  const database = await openApplicationDatabase();
  const rows: GrowthRow[] = [];
  try {
    for (const objects of sizes) {
      const withRows = objects <= MOST_ROWS ? database : null;
      const row = await measureGrowth({ objects, dist, database: withRows, concurrency: 128, latencyMs: 20 });
      tell(`growth: ${figure(objects)} objects at ${figure(objects / row.seconds)} a second`);
      rows.push(row);
    }
  } finally {
    await database.close();
  }
  return {
    title: "Growth",
    text: `One job after the other through the service's API, on a store that makes its objects from numbers and needs no memory for them; rows in MariaDB name the objects (up to a million of them), the ledger is SQLite. One run each.${long ? "" : " Ten million objects take half an hour: `npm run bench -- --only growth --long`."}`,
    table: {
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
        figure(row.objects / row.seconds),
        figure(row.cpuMsPerObject),
        figure(row.rssPeakMb),
        `${figure(row.rssEarlyMb)} / ${figure(row.rssLateMb)}`,
        figure(row.ledgerBytesPerObject),
        figure(row.statementsPerThousand),
        thousandths(row.requestsPerObject),
        figure(row.firstCopyMs),
        `${figure(row.api.p50)} / ${figure(row.api.p99)}`,
      ]),
    },
    figures: growthFigures(rows),
  };
}

/** What the budgets bound; null for what only jobs that last can tell, where there are none. */
export function growthFigures(rows: readonly GrowthRow[]): Figures {
  const large = rows.filter(({ objects }) => objects >= LASTING);
  const peaks = large.map((row) => row.rssPeakMb);
  return {
    "resident memory, any size": Math.max(...rows.map((row) => row.rssPeakMb)),
    "growth of memory from 100,000 objects on":
      large.length < 2 ? null : Math.max(...peaks) / Math.min(...peaks) - 1,
    "first copy after the submission, any size": Math.max(...rows.map((row) => row.firstCopyMs)),
    "GET /jobs/:id p99 during the job, from 100,000 objects on":
      large.length === 0 ? null : Math.max(...large.map((row) => row.api.p99)),
    "ledger on disk for one object": rows.at(-1)?.ledgerBytesPerObject ?? Number.NaN,
  };
}
