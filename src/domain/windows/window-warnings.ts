/** Warnings about windows and limits that are valid but probably mistakes. */

import type { Fault } from "../errors.ts";
import type { JobSpec, Limits, OpenWindow, Windows } from "../job-spec.ts";
import type { LocalCalendar } from "./local-calendar.ts";
import { OffPeakWindow } from "./off-peak-window.ts";
import { dayNumber, limitsEqual, limitsOf, minutesOf, stricter } from "./window-table.ts";

const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
/** Waiting longer than this for the first opening is taken for a mistake. */
const SOON_MS = 400 * DAY_MS;
const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** Pointer and message as of a fault, with a stable code. */
export type WindowWarning = Fault & { readonly code: string };

/** The warnings for a job without faults at `now` (epoch milliseconds). */
export function windowWarnings(spec: JobSpec, calendar: LocalCalendar, now: number): WindowWarning[] {
  const { windows, limits } = spec;
  if (windows === null) return slowLimits(spec, limits, DAY_MINUTES, "/limits", "a whole day");
  return [
    ...windows.open.flatMap((_, i) => overlap(windows.open, i, limits)),
    ...seldomOpen(windows, limits, calendar, now),
    ...closedInThePast(windows, calendar, now),
    ...windows.open.flatMap((window, i) => {
      const { from, to } = minutesOf(window);
      const pointer = `/windows/open/${i}/limits`;
      return slowLimits(spec, limitsOf(window, limits), to - from, pointer, "the whole window");
    }),
  ];
}

/** A warning for the first window before `open[index]` that overlaps it with other limits. */
function overlap(open: readonly OpenWindow[], index: number, limits: Limits): WindowWarning[] {
  const window = open[index];
  if (window === undefined) return [];
  const own = limitsOf(window, limits);
  for (const [i, other] of open.slice(0, index).entries()) {
    const others = limitsOf(other, limits);
    const from = limitsEqual(own, others) ? null : overlapFrom(other, window);
    if (from === null) continue;
    const both = describe(stricter(own, others));
    const message = `overlaps /windows/open/${i} (from ${from}) with other limits: while both are open the stricter of each holds (${both})`;
    return [{ code: "windows_overlap", pointer: `/windows/open/${index}`, message }];
  }
  return [];
}

/** The first time in the week, from Monday on, when `a` and `b` are both open: `sat 00:00`; null when there is none. */
function overlapFrom(a: OpenWindow, b: OpenWindow): string | null {
  const starts = weekOf(a).flatMap((one) =>
    weekOf(b).flatMap((other) =>
      [-WEEK_MINUTES, 0, WEEK_MINUTES].flatMap((shift) => {
        const from = Math.max(one.from, other.from + shift);
        return from < Math.min(one.to, other.to + shift) ? [from % WEEK_MINUTES] : [];
      }),
    ),
  );
  if (starts.length === 0) return null;
  const first = Math.min(...starts);
  const two = (n: number) => String(n).padStart(2, "0");
  const minute = first % DAY_MINUTES;
  return `${WEEK[Math.floor(first / DAY_MINUTES)]} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** A window's openings of a week, in minutes since Monday 00:00; the last may reach into the next week. */
function weekOf(window: OpenWindow): { from: number; to: number }[] {
  const { from, to } = minutesOf(window);
  return window.days.map((day) => {
    const midnight = WEEK.indexOf(day) * DAY_MINUTES;
    return { from: midnight + from, to: midnight + to };
  });
}

function describe({ concurrency, requestsPerSecond, bytesPerSecond, rowsPerSecond }: Limits): string {
  const rates = { requestsPerSecond, bytesPerSecond, rowsPerSecond };
  const set = Object.entries(rates).filter(([, rate]) => rate !== null);
  return [["concurrency", concurrency], ...set].map(([name, value]) => `${name} ${value}`).join(", ");
}

function seldomOpen(windows: Windows, limits: Limits, calendar: LocalCalendar, now: number): WindowWarning[] {
  const next = new OffPeakWindow(windows, limits, calendar).nextOpening(now);
  if (next !== null && next - now <= SOON_MS) return [];
  const when = next === null ? "" : `; the first opening is at ${new Date(next).toISOString()}`;
  const message = `no window opens within 400 days${when}`;
  return [{ code: "window_never_opens", pointer: "/windows", message }];
}

function closedInThePast(
  { timezone, closed }: Windows,
  calendar: LocalCalendar,
  now: number,
): WindowWarning[] {
  const today = Math.floor((now + calendar.utcOffset(timezone, now).offsetMs) / DAY_MS);
  if (closed.length === 0 || closed.some((date) => dayNumber(date) >= today)) return [];
  const message = "all closed dates are in the past: were those of another year meant?";
  return [{ code: "closed_dates_past", pointer: "/windows/closed", message }];
}

/**
 * A warning for each rate too low for one object in `minutes`: an object needs a request for its copy, and a row for each
 * reference. Bytes are not checked, as the sizes of objects are unknown.
 */
function slowLimits(
  { references }: JobSpec,
  limits: Limits,
  minutes: number,
  pointer: string,
  span: string,
): WindowWarning[] {
  const needs = [["requestsPerSecond", 1] as const, ["rowsPerSecond", references.length] as const];
  return needs.flatMap(([name, need]) => {
    const rate = limits[name];
    if (rate === null || rate * minutes * 60 >= need) return [];
    const message = `${rate} a second is less than one object needs in ${span}`;
    return [{ code: "limit_below_one_object", pointer: `${pointer}/${name}`, message }];
  });
}
