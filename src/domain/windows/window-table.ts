/** A job's windows laid out over the week in local time: the state at a local date and time. */

import type { Limits, OpenWindow, Weekday, Windows } from "../job-spec.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;

/** In the order of day numbers: day 0, 1 January 1970, was a Thursday. */
const WEEK: readonly Weekday[] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/** Open or not, with the limits; equal states of one table are the same object, so they can be compared by identity. */
export interface WindowState {
  readonly isOpen: boolean;
  /** The limits in force: those of the open windows, else the job's. */
  readonly limits: Limits;
}

/** A state and the local time until which it applies at least; `Infinity` for always. */
export interface LocalInterval {
  readonly state: WindowState;
  readonly until: number;
}

/** Begin and end of a window in minutes after the midnight that begins its day; the end may exceed 1440. */
export function minutesOf({ from, to }: Pick<OpenWindow, "from" | "to">): { from: number; to: number } {
  const begin = minutesAt(from);
  const end = minutesAt(to);
  return { from: begin, to: end < begin ? end + DAY_MINUTES : end };
}

/** The limits of `window` over those of its job. */
export function limitsOf(window: OpenWindow, limits: Limits): Limits {
  return { ...limits, ...window.limits };
}

/** The stricter of each limit; null is no limit. */
export function stricter(a: Limits, b: Limits): Limits {
  return {
    concurrency: Math.min(a.concurrency, b.concurrency),
    requestsPerSecond: lower(a.requestsPerSecond, b.requestsPerSecond),
    bytesPerSecond: lower(a.bytesPerSecond, b.bytesPerSecond),
    rowsPerSecond: lower(a.rowsPerSecond, b.rowsPerSecond),
  };
}

/** Whether all limits of `a` and `b` are equal. */
export function limitsEqual(a: Limits, b: Limits): boolean {
  return keyOf(a) === keyOf(b);
}

/** The number of a local date `YYYY-MM-DD`: days since 1 January 1970. */
export function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/**
 * Local time is a number of milliseconds: the local date and time, interpreted as if it were UTC, as epoch milliseconds. A
 * window belongs to the day it begins on. Nothing is open on a closed date, and a window that would begin on one does not
 * take place, not even after midnight.
 */
export class WindowTable {
  readonly #closed: ReadonlySet<number>;
  /** Closed dates in order. */
  readonly #closedDays: readonly number[];
  readonly #shut: WindowState;
  /** By weekday, for days that do not follow a closed date: the day's intervals, ends in milliseconds after its midnight. */
  readonly #ordinary: readonly (readonly LocalInterval[])[];
  /** The same for days after a closed date: no window of the evening before continues after midnight. */
  readonly #afterClosed: readonly (readonly LocalInterval[])[];
  /** Whether one state holds on all ordinary days. */
  readonly #isUniform: boolean;

  constructor({ open, closed }: Pick<Windows, "open" | "closed">, limits: Limits) {
    this.#closedDays = closed.map(dayNumber).sort((a, b) => a - b);
    this.#closed = new Set(this.#closedDays);
    this.#shut = { isOpen: false, limits };
    const known = new Map<string, WindowState>();
    const stateOf = (windows: readonly OpenWindow[]): WindowState => {
      const [first, ...others] = windows.map((window) => limitsOf(window, limits));
      if (first === undefined) return this.#shut;
      const strictest = others.reduce(stricter, first);
      const state = known.get(keyOf(strictest)) ?? { isOpen: true, limits: strictest };
      known.set(keyOf(strictest), state);
      return state;
    };
    this.#ordinary = WEEK.map((_, day) => layOut(open, day, true, stateOf));
    this.#afterClosed = WEEK.map((_, day) => layOut(open, day, false, stateOf));
    const states = new Set(this.#ordinary.flat().map(({ state }) => state));
    this.#isUniform = states.size === 1;
  }

  /** The state at the local time `local`, and until when; the end is exact or early, never late. */
  intervalAt(local: number): LocalInterval {
    const day = Math.floor(local / DAY_MS);
    if (this.#closed.has(day)) return { state: this.#shut, until: (day + 1) * DAY_MS };
    const isAfterClosed = this.#closed.has(day - 1);
    const intervals = (isAfterClosed ? this.#afterClosed : this.#ordinary)[weekday(day)] ?? [];
    const interval = intervals.find(({ until }) => until > local - day * DAY_MS);
    if (interval === undefined) throw new RangeError(`not a local time: ${local}`);
    // At least two days after a closed date, so that a change of offset cannot lead back out of the interval.
    const isLong = this.#isUniform && !isAfterClosed && !this.#closed.has(day - 2);
    return { state: interval.state, until: isLong ? this.#nextClosed(day) : day * DAY_MS + interval.until };
  }

  /** The local midnight that begins the next closed date after `day`. */
  #nextClosed(day: number): number {
    const next = this.#closedDays.find((closed) => closed > day);
    return next === undefined ? Infinity : next * DAY_MS;
  }
}

/** The intervals of one weekday; `continuesYesterday`: windows of the evening before continue after midnight. */
function layOut(
  open: readonly OpenWindow[],
  day: number,
  continuesYesterday: boolean,
  stateOf: (windows: readonly OpenWindow[]) => WindowState,
): LocalInterval[] {
  const today = WEEK[day];
  const yesterday = continuesYesterday ? WEEK[weekday(day - 1)] : undefined;
  const parts = open.flatMap((window) => {
    const { from, to } = minutesOf(window);
    const parts: { window: OpenWindow; from: number; to: number }[] = [];
    if (window.days.some((name) => name === today)) parts.push({ window, from, to });
    if (window.days.some((name) => name === yesterday)) parts.push({ window, from: 0, to: to - DAY_MINUTES });
    return parts;
  });
  const edges = parts.flatMap(({ from, to }) => [from, to]).filter((at) => at > 0 && at < DAY_MINUTES);
  const ends = [...new Set([...edges, DAY_MINUTES])].sort((a, b) => a - b);
  return ends.map((end, i) => {
    const begin = ends[i - 1] ?? 0;
    const covering = parts.filter(({ from, to }) => from <= begin && to > begin);
    return { state: stateOf(covering.map(({ window }) => window)), until: end * MINUTE_MS };
  });
}

function weekday(day: number): number {
  return ((day % 7) + 7) % 7;
}

/** `HH:MM` in minutes. */
function minutesAt(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

function lower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function keyOf({ concurrency, requestsPerSecond, bytesPerSecond, rowsPerSecond }: Limits): string {
  return JSON.stringify([concurrency, requestsPerSecond, bytesPerSecond, rowsPerSecond]);
}
