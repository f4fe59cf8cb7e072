/** Prints the engines of a preflight report as a table. */

import type { EngineEstimate } from "../../domain/engines/engine-costs.ts";
import type { PreflightReport } from "../../jobs/preflight/preflight-report.ts";
import { humanDuration } from "./human-units.ts";
import { printable } from "./terminal-text.ts";

const BOUNDS: Readonly<Record<EngineEstimate["boundBy"], string>> = {
  concurrency: "limits.concurrency",
  requestsPerSecond: "requestsPerSecond",
  bytesPerSecond: "bytesPerSecond",
  prefix: "3,500 writes/s to a new prefix",
  process: "one process",
  functions: "concurrent functions",
  table: "2,000 objects/s of a new table",
};

/** The lines of the table, none where there is no choice; `*` marks the engine to take. */
export function engineLines({ engines, prices }: Pick<PreflightReport, "engines" | "prices">): string[] {
  if (engines.length < 2) return [];
  const rows = engines.map(({ name, seconds, dollars, boundBy, chosen }) => [
    chosen ? "*" : " ",
    name,
    humanDuration(seconds),
    dollars === null ? "-" : `$${dollars.toFixed(2)}`,
    BOUNDS[boundBy],
  ]);
  const table = [["", "engine", "at least", "cost", "bound by"], ...rows];
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd();
  return [
    "",
    ...table.map(line),
    ...engines.map(({ name, why }) => `  ${name}: ${printable(why)}`),
    `  (${printable(prices)})`,
  ];
}
