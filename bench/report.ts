/** The report as Markdown: verdicts first, then what Tranship does worse, then every figure. */

import type { SectionReport, Table } from "./section.ts";

export interface ReportParts {
  readonly facts: readonly (readonly [string, string])[];
  readonly sections: readonly SectionReport[];
  /** How the figures were made, for example `npm run bench`. */
  readonly command: string;
  /** A quick run says of itself that it measures nothing. */
  readonly quick: boolean;
  /** Where the chart is, relative to the report; null: there is none. */
  readonly chart: string | null;
}

/** All of the report. */
export function reportText({ facts, sections, command, quick, chart }: ReportParts): string {
  const budgets = sections.flatMap((section) => section.budgets);
  const worse = sections.flatMap((section) => section.worse);
  return [
    "# Benchmarks",
    "",
    `Made by \`${command}\`, which writes this file: do not edit it. Store, database, Tranship and peers are processes of one machine and share its processors. Requests are counted at the store; CPU and memory are the kernel's figures for the whole process, start-up included. How it is done and why: [decision 11](decisions/0011-benchmark.md).`,
    "",
    ...(quick
      ? [
          "**A quick run: it shows that everything works. Start-up outweighs the few objects; read no figure.**",
          "",
        ]
      : []),
    ...(chart === null ? [] : [`![Benchmark results](${chart})`, ""]),
    ...(budgets.length === 0
      ? []
      : [
          "## Budgets",
          "",
          ...tableLines({
            head: ["what", "budget", "measured", "met"],
            rows: budgets.map(({ what, budget, measured, met }) => [
              what,
              budget,
              measured,
              met ? "yes" : "**no**",
            ]),
          }),
          "",
        ]),
    "## What Tranship does worse than a peer, or than it should",
    "",
    ...(worse.length === 0 ? ["Nothing that was measured in this run."] : worse.map((line) => `- ${line}`)),
    "",
    ...sections.flatMap(sectionLines),
    "## Machine",
    "",
    ...tableLines({ head: ["what", "is"], rows: facts }),
    "",
  ].join("\n");
}

function sectionLines({ title, text, tables }: SectionReport): string[] {
  const paragraphs = text.flatMap((paragraph) => [paragraph, ""]);
  return [`## ${title}`, "", ...paragraphs, ...tables.flatMap((table) => [...tableLines(table), ""])];
}

function tableLines({ head, rows }: Table): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
