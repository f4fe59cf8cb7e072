/** Prints the preflight report as text. */

import type { PreflightProblem, PreflightReport } from "../../jobs/preflight/preflight-report.ts";
import { engineLines } from "./engine-table.ts";
import { counted, humanBytes, humanCount, humanDuration } from "./human-units.ts";
import { printable } from "./terminal-text.ts";

/** All of `report`: numbers first, then the problems, errors before warnings. */
export function reportText(report: PreflightReport): string {
  const facts: (readonly [string, string])[] = [
    ["objects", humanCount(report.objects)],
    ["bytes", `${humanBytes(report.bytes)} (${humanCount(report.bytes)})`],
    ...rowFacts(report),
    ["requests", requestsText(report)],
    ["cost", `about $${report.estimatedCostUsd.toFixed(2)} at AWS list prices`],
    ["guarded by", protectionText(report)],
    ["duration", `at least ${humanDuration(report.estimatedSeconds)}${endText(report)}`],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = [
    `Preflight: ${verdict(report)}`,
    "",
    ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...engineLines(report),
    ...bySeverity(report).flatMap(problemLines),
  ];
  return `${lines.join("\n")}\n`;
}

function verdict({ ok, problems }: PreflightReport): string {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = problems.length - errors;
  const found = [
    ...(errors > 0 ? [counted(errors, "error")] : []),
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
  ].join(", ");
  if (ok) return found === "" ? "ok" : `ok, with ${found}`;
  return `not ok: ${found}`;
}

function rowFacts({ rows }: PreflightReport): (readonly [string, string])[] {
  const entries = Object.entries(rows);
  if (entries.length === 0) return [["rows", "none: the job has no references"]];
  return entries.map(([column, count], i) => [
    i === 0 ? "rows" : "",
    `${printable(column)}: ${count === null ? "not counted" : humanCount(count)}`,
  ]);
}

function requestsText({ requests }: PreflightReport): string {
  const { list, copy, head, delete: deletes } = requests;
  const all = list + copy + head + deletes;
  const each = `list ${humanCount(list)}, copy ${humanCount(copy)}, head ${humanCount(head)}, delete ${humanCount(deletes)}`;
  return `${humanCount(all)} (${each})`;
}

const GUARDS = { store: "the store", look: "looks", unknown: "not known (--canary tells)" } as const;

function protectionText({ protection: { copies, deletions, copyGapMs } }: PreflightReport): string {
  const gap = copyGapMs === null ? "" : ` (${Math.ceil(copyGapMs)} ms)`;
  return `copies: ${GUARDS[copies]}${gap}, deletions: ${GUARDS[deletions]}`;
}

function endText({ finishAt }: PreflightReport): string {
  return finishAt === null ? "" : `, done about ${finishAt}`;
}

function bySeverity({ problems }: PreflightReport): PreflightProblem[] {
  return [
    ...problems.filter((problem) => problem.severity === "error"),
    ...problems.filter((problem) => problem.severity === "warning"),
  ];
}

function problemLines({ severity, code, message, examples }: PreflightProblem): string[] {
  return [
    "",
    `${severity} ${code}: ${printable(message)}`,
    ...examples.map((example) => `    ${printable(example)}`),
  ];
}
