/** A job's windows laid out over the week of the wall: what holds when a clock there shows a date and time. */

import type { Limits, OpenWindow, Weekday, Windows } from "../job-spec.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;

/** In the order of day numbers: day 0, 1 January 1970, was a Thursday. */
const WEEK: readonly Weekday[] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/** What holds at a time; equal states are one object, so they can be compared by identity. */
export interface WindowState {
  readonly isOpen: boolean;
  /** The limits in force: those of the windows that are open, else the job's. */
  readonly limits: Limits;
}

/** A state and until when, in local time, it holds at least; `Infinity` when for ever. */
export interface LocalInterval {
  readonly state: WindowState;
  readonly until: number;
}

/** When a window begins and ends, minutes after the midnight its day begins with; the end may be past 1440. */
export function minutesOf({ from, to }: Pick<OpenWindow, "from" | "to">): { from: number; to: number } {
  const begin = minutesAt(from);
  const end = minutesAt(to);
  return { from: begin, to: end < begin ? end + DAY_MINUTES : end };
}

/** The limits of `window` over those of its job. */
export function limitsOf(window: OpenWindow, limits: Limits): Limits {
  return { ...limits, ...window.limits };
}

/** Of each limit the stricter; null is no limit. */
export function stricter(a: Limits, b: Limits): Limits {
  return {
    concurrency: Math.min(a.concurrency, b.concurrency),
    requestsPerSecond: lower(a.requestsPerSecond, b.requestsPerSecond),
    bytesPerSecond: lower(a.bytesPerSecond, b.bytesPerSecond),
    rowsPerSecond: lower(a.rowsPerSecond, b.rowsPerSecond),
  };
}

/** Whether `a` and `b` limit alike. */
export function limitsEqual(a: Limits, b: Limits): boolean {
  return keyOf(a) === keyOf(b);
}

/** The number of a local date `YYYY-MM-DD`: days since 1 January 1970. */
export function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/**
 * Local time is written as milliseconds since midnight of 1 January 1970 on the wall: what a clock shows, read as if it
 * were UTC. A window belongs to the day it begins on. Nothing is open on a closed date, and a window that would begin
 * on one does not take place, not even after midnight.
 */
export class WindowTable {
  readonly #closed: ReadonlySet<number>;
  /** Closed dates in order. */
  readonly #closedDays: readonly number[];
  readonly #shut: WindowState;
  /** By weekday, as ordinary days are: the spells of the day, ends in milliseconds after its midnight. */
  readonly #ordinary: readonly (readonly LocalInterval[])[];
  /** The same for a day after a closed date: nothing comes over from the evening before. */
  readonly #afterClosed: readonly (readonly LocalInterval[])[];
  /** Whether one state holds on all ordinary days. */
  readonly #isEven: boolean;

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
    this.#isEven = states.size === 1;
  }

  /** What holds when clocks show `local`, and until when; the end is exact or early, never late. */
  intervalAt(local: number): LocalInterval {
    const day = Math.floor(local / DAY_MS);
    if (this.#closed.has(day)) return { state: this.#shut, until: (day + 1) * DAY_MS };
    const isAfterClosed = this.#closed.has(day - 1);
    const spells = (isAfterClosed ? this.#afterClosed : this.#ordinary)[weekday(day)] ?? [];
    const interval = spells.find(({ until }) => until > local - day * DAY_MS);
    if (interval === undefined) throw new RangeError(`not a local time: ${local}`);
    // Two days clear of a closed date, so that no clock put back leads out of the spell again.
    const isLong = this.#isEven && !isAfterClosed && !this.#closed.has(day - 2);
    return { state: interval.state, until: isLong ? this.#nextClosed(day) : day * DAY_MS + interval.until };
  }

  /** The midnight that begins the next closed date after `day`. */
  #nextClosed(day: number): number {
    const next = this.#closedDays.find((closed) => closed > day);
    return next === undefined ? Infinity : next * DAY_MS;
  }
}

/** The spells of one weekday; `comesOver`: windows of the evening before go on after midnight. */
function layOut(
  open: readonly OpenWindow[],
  day: number,
  comesOver: boolean,
  stateOf: (windows: readonly OpenWindow[]) => WindowState,
): LocalInterval[] {
  const today = WEEK[day];
  const yesterday = comesOver ? WEEK[weekday(day - 1)] : undefined;
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
