/** `tranship list`: the jobs of a running service, newest first. */

import { JOB_STATES } from "../../domain/job-state.ts";
import type { JobView } from "../../jobs/view/job-view.ts";
import type { Page } from "../../ports/ledger.ts";
import type { Command } from "../command.ts";
import type { CommandArguments } from "../command-arguments.ts";
import { EXIT } from "../exit-code.ts";
import { nearestName } from "../nearest-name.ts";
import { humanCount } from "../rendering/human-units.ts";
import { printable } from "../rendering/terminal-text.ts";
import { SERVICE_OPTIONS, serviceClient } from "../service-options.ts";
import { UsageError } from "../usage-error.ts";

const PAGE = 100;

export const listCommand: Command = {
  name: "list",
  summary: "the jobs of a running service, newest first",
  operands: [],
  options: [...SERVICE_OPTIONS, { name: "state", value: "STATE", description: "only jobs in this state" }],
  details: [`States: ${JOB_STATES.join(", ")}.`, "With --json: an array of jobs."],
  async run(given, context) {
    const state = stateOf(given);
    const client = serviceClient(given, context);
    const jobs: JobView[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (state !== undefined) query.set("state", state);
      if (cursor !== null) query.set("cursor", cursor);
      const page: Page<JobView> = await client.send({ method: "GET", path: `/jobs?${query}` });
      jobs.push(...page.items);
      cursor = page.next;
    } while (cursor !== null);
    context.output.out(given.json ? `${JSON.stringify(jobs)}\n` : listText(jobs));
    return EXIT.completed;
  },
};

function stateOf(given: CommandArguments): string | undefined {
  const state = given.value("state");
  if (state === undefined || JOB_STATES.some((known) => known === state)) return state;
  const nearest = nearestName(state, JOB_STATES);
  const hint = nearest === null ? `one of ${JOB_STATES.join(", ")}` : `did you mean ${nearest}?`;
  throw new UsageError(`unknown state ${JSON.stringify(state)}; ${hint}`, "list");
}

function listText(jobs: readonly JobView[]): string {
  if (jobs.length === 0) return "no jobs\n";
  const rows = [
    ["ID", "STATE", "DONE", "MOVED", "PLANNED", "CREATED", "NAME"],
    ...jobs.map((job) => [
      printable(job.id),
      printable(job.state),
      job.percent === null ? "-" : `${job.percent.toFixed(1)}%`,
      humanCount(job.objects.moved),
      humanCount(job.objects.planned),
      job.createdAt,
      printable(job.name),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ");
  return `${rows.map((row) => line(row).trimEnd()).join("\n")}\n`;
}
