/** The report as Markdown: budgets first, then every figure. */

import { type CheckedBudget, checkBudgets } from "./budgets.ts";
import type { SectionReport, Table } from "./section.ts";

export interface ReportParts {
  readonly facts: readonly (readonly [string, string])[];
  /** By name, in the order of the report. */
  readonly sections: ReadonlyMap<string, SectionReport>;
  /** How the figures were made, for example `npm run bench`. */
  readonly command: string;
  /** A quick run says of itself that it measures nothing. */
  readonly quick: boolean;
}

/** All of the report. Throws when a section left out a figure of its budgets. */
export function reportText({ facts, sections, command, quick }: ReportParts): string {
  const budgets = checkBudgets(new Map([...sections].map(([name, { figures }]) => [name, figures])));
  const warning =
    "**A quick run: it shows that everything works. Start-up outweighs the few objects; read no figure.**";
  return [
    "# Benchmarks",
    `Made by \`${command}\`, which writes this file: do not edit it. Store, database, Tranship and peers are processes of one machine and share its processors. Requests are counted at the store; CPU and memory are the kernel's figures for the whole process, start-up included. How it is done and why: [decision 11](decisions/0011-benchmark.md).`,
    ...(quick ? [warning] : []),
    ...(budgets.length > 0 ? ["## Budgets", tableText(budgetTable(budgets))] : []),
    ...[...sections.values()].flatMap(({ title, text, table }) => [`## ${title}`, text, tableText(table)]),
    "## Machine",
    `${facts.map(([what, fact]) => `${what}: ${fact}`).join("; ")}.`,
  ]
    .join("\n\n")
    .concat("\n");
}

function budgetTable(budgets: readonly CheckedBudget[]): Table {
  return {
    head: ["section", "figure", "budget", "measured", "", "explained in"],
    rows: budgets.map(
      ({ budget: { section, figure, relation, bound, print, decision }, measured, result }) => [
        section,
        figure,
        `${relation} ${print(bound)}`,
        measured === null ? "–" : print(measured),
        result === "missed" ? "**missed**" : result,
        `decision ${decision}`,
      ],
    ),
  };
}

function tableText({ head, rows }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
