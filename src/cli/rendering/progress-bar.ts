/** A job's progress as one line of text: bar, percent, counts, speed, end, and what it waits for. Pure. */

import stringWidth from "string-width";
import type { JobView } from "../../jobs/view/job-view.ts";
import { counted, humanBytes, humanCount, humanDuration, humanMoment, humanTime } from "./human-units.ts";
import { fitColumns, printable } from "./terminal-text.ts";

/** Colours `text`; it must not change its width. */
export type Paint = (text: string) => string;

/** A part of the line; parts with a greater `rank` are omitted first when the terminal is narrow. */
interface Part {
  readonly text: string;
  readonly rank: number;
}

const GAP = "  ";
const MIN_BAR = 10;
const MAX_BAR = 40;
const unpainted: Paint = (text) => text;

/** The progress of `view` in at most `columns` columns; never wraps. */
export function renderProgress(
  view: JobView,
  columns: number,
  now: number,
  paint: Paint = unpainted,
): string {
  let parts = partsOf(view, now);
  while (parts.length > 1 && widthOf(parts) > columns) parts = withoutLeastWanted(parts);
  const text = fitColumns(parts.map((part) => part.text).join(GAP), columns);
  const room = Math.min(MAX_BAR, columns - stringWidth(text) - GAP.length);
  if (view.percent === null || room < MIN_BAR) return text;
  return `${barOf(view.percent, room, paint)}${GAP}${text}`;
}

/** The same without a bar and at full length, for logs. */
export function progressLine(view: JobView, now: number): string {
  return partsOf(view, now)
    .map((part) => part.text)
    .join(GAP);
}

function partsOf(view: JobView, now: number): Part[] {
  return [...countParts(view), ...speedParts(view), ...endParts(view, now), ...stateParts(view, now)];
}

function countParts(view: JobView): Part[] {
  const { moved, copied, planned, skipped, exceptions } = view.objects;
  // Until planning is done, the counted total is closer than the planned one.
  const inAll = view.planDone ? planned : Math.max(planned, view.expected?.objects ?? 0);
  const parts: Part[] =
    view.percent === null
      ? [{ text: `moved ${humanCount(moved)}, planned ${humanCount(planned)} so far`, rank: 0 }]
      : [
          { text: `${view.percent.toFixed(1)}%`.padStart(6), rank: 0 },
          { text: `${humanCount(moved)}/${humanCount(inAll)}`, rank: 1 },
        ];
  // In the grace period and before an approval objects are copied and not yet moved.
  if (copied > moved) parts.push({ text: `${humanCount(copied)} copied`, rank: 5 });
  if (skipped > 0) parts.push({ text: `${humanCount(skipped)} skipped`, rank: 8 });
  if (exceptions > 0) parts.push({ text: counted(exceptions, "exception"), rank: 3 });
  return parts;
}

function speedParts({ rate }: JobView): Part[] {
  if (rate.objectsPerSecond <= 0) return [];
  return [
    { text: `${humanCount(rate.objectsPerSecond)} obj/s`, rank: 4 },
    { text: `${humanBytes(rate.bytesPerSecond)}/s`, rank: 7 },
  ];
}

function endParts(view: JobView, now: number): Part[] {
  const { finishAt, finishOpenings, waiting } = view;
  if (finishAt === null) return [];
  const openings = finishOpenings ?? 0;
  const after = openings > 1 ? `, after ${counted(openings, openingsOf(view))}` : "";
  const end = `${humanMoment(finishAt, now)}${after}`;
  if (waiting === null) {
    const left = (Date.parse(finishAt) - now) / 1000;
    return [{ text: `ETA ${humanDuration(left)} (${end})`, rank: 6 }];
  }
  return openings > 0 ? [{ text: `done about ${end}`, rank: 6 }] : [];
}

/** The word for an opening of the windows: `night` when all its hours lie between 18:00 and 09:00. */
function openingsOf({ spec }: JobView): string {
  const open = spec.windows?.open ?? [];
  const isByNight = open.every(({ from, to }) => (from >= "18:00" || from < "09:00") && to <= "09:00");
  return isByNight ? "night" : "window";
}

function stateParts(view: JobView, now: number): Part[] {
  const { waiting, state } = view;
  if (waiting !== null) {
    const until = waiting.until === null ? "" : ` until ${humanTime(waiting.until, now)}`;
    const parts = [{ text: `waits for ${WAITED_FOR[waiting.reason]}${until}`, rank: 2 }];
    if (waiting.detail !== "") parts.push({ text: `(${printable(waiting.detail)})`, rank: 9 });
    return parts;
  }
  if (state === "running" || state === "completed") return [];
  const parts = [{ text: state.replaceAll("_", " "), rank: 2 }];
  if (view.reason !== null) parts.push({ text: `(${printable(view.reason)})`, rank: 9 });
  return parts;
}

const WAITED_FOR: Readonly<Record<NonNullable<JobView["waiting"]>["reason"], string>> = {
  window: "its window",
  approval: "approval",
  grace: "the grace period",
  throttled: "the store",
  database: "the database",
  engine: "the copy engine",
};

function widthOf(parts: readonly Part[]): number {
  return stringWidth(parts.map((part) => part.text).join(GAP));
}

function withoutLeastWanted(parts: readonly Part[]): Part[] {
  const least = Math.max(...parts.map((part) => part.rank));
  return parts.filter((part) => part.rank !== least);
}

function barOf(percent: number, width: number, paint: Paint): string {
  const share = Math.min(100, Math.max(0, percent)) / 100;
  // Rounded down: a full bar means that all is done.
  const full = Math.floor(share * width);
  return `${paint("█".repeat(full))}${"░".repeat(width - full)}`;
}
