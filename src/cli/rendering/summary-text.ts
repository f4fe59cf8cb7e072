/** Prints a job's end or present state in a few lines. */

import { isFinished } from "../../domain/job-state.ts";
import type { JobView } from "../../jobs/view/job-view.ts";
import { printable } from "./display-width.ts";
import { counted, humanBytes, humanCount, humanDuration } from "./human-units.ts";
import { progressLine } from "./progress-bar.ts";

/** A job on one line, after an action. */
export function jobLine({ id, state, name }: JobView): string {
  return `${[id, state, name].map(printable).join("  ")}\n`;
}

/** Summary of a finished or interrupted job. */
export function summaryText(view: JobView): string {
  const { moved, planned, skipped, exceptions } = view.objects;
  const { requests } = view;
  const sent = requests.list + requests.copy + requests.head + requests.delete + requests.other;
  const lines = [
    `${view.state.replaceAll("_", " ")}: ${humanCount(moved)} of ${counted(planned, "object")} moved, ` +
      `${humanCount(skipped)} skipped, ${counted(exceptions, "exception")}`,
    `  ${counted(view.rows.updated, "row")} updated, ${humanBytes(view.bytes)}, ${humanDuration(view.seconds)}, ` +
      `${counted(sent, "request")} (${humanCount(requests.throttled)} throttled)`,
  ];
  if (view.reason !== null) lines.push(`  ${printable(view.reason)}`);
  return `${lines.join("\n")}\n`;
}

/** A job's identity, state and progress. */
export function statusText(view: JobView, now: number): string {
  const { source, target } = view.spec;
  const place = (at: { bucket: string; prefix: string }) => printable(`${at.bucket}/${at.prefix}`);
  const head = [
    `${printable(view.name)}  ${printable(view.id)}`,
    `  ${place(source)} to ${place(target)}`,
    `  created ${view.createdAt}, changed ${view.updatedAt}`,
  ];
  // The progress line names every state except `running`.
  const line = `${view.state === "running" ? "running  " : ""}${progressLine(view, now).trim()}\n`;
  const rest = isFinished(view.state) ? summaryText(view) : line;
  return `${head.join("\n")}\n${rest}`;
}
