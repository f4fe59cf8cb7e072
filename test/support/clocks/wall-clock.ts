/** An independent answer to "is it open": a clock on the wall, read off moment-timezone, and the windows read literally. */

import fc from "fast-check";
import moment from "moment-timezone";
import type { Limits, OpenWindow, Weekday, Windows } from "../../../src/domain/job-spec.ts";

/** Whole, half and quarter hours, northern and southern summers, half-hour changes, none, a skipped day. */
export const ZONES = [
  "Africa/Cairo",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "America/St_Johns",
  "Pacific/Apia",
  "Asia/Tokyo",
] as const;

export const LIMITS: Limits = {
  concurrency: 128,
  requestsPerSecond: null,
  bytesPerSecond: null,
  rowsPerSecond: 50,
};

const DAYS: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The instant at which clocks in `zone` show `local`, `YYYY-MM-DD HH:MM`. */
export function at(zone: string, local: string): number {
  return moment.tz(local, "YYYY-MM-DD HH:mm", zone).valueOf();
}

export function isOpenOnTheWall(windows: Windows, time: number): boolean {
  return openOnTheWall(windows, time).length > 0;
}

/** The strictest of what is open, or the job's {@link LIMITS}. */
export function limitsOnTheWall(windows: Windows, time: number): Limits {
  const all = openOnTheWall(windows, time).map(({ limits }) => ({ ...LIMITS, ...limits }));
  if (all.length === 0) return LIMITS;
  const lowest = (name: keyof Limits) => {
    const values = all.map((limits) => limits[name]).filter((value) => value !== null);
    return values.length === 0 ? null : Math.min(...values);
  };
  return {
    concurrency: lowest("concurrency") ?? 0,
    requestsPerSecond: lowest("requestsPerSecond"),
    bytesPerSecond: lowest("bytesPerSecond"),
    rowsPerSecond: lowest("rowsPerSecond"),
  };
}

function openOnTheWall({ timezone, open, closed }: Windows, time: number): OpenWindow[] {
  const wall = moment.tz(time, timezone);
  const today = wall.format("YYYY-MM-DD");
  const yesterday = moment.utc(today).subtract(1, "day").format("YYYY-MM-DD");
  const clock = wall.format("HH:mm:ss.SSS");
  if (closed.includes(today)) return [];
  const has = (window: OpenWindow, date: string) =>
    window.days.some((day) => day === DAYS[moment.utc(date).day()]);
  return open.filter((window) => {
    const { from, to } = window;
    if (from < to) return has(window, today) && from <= clock && clock < to;
    if (has(window, today) && from <= clock) return true;
    return has(window, yesterday) && !closed.includes(yesterday) && clock < to;
  });
}

const time = fc
  .integer({ min: 0, max: 287 })
  .map((n) => `${String(Math.floor(n / 12)).padStart(2, "0")}:${String((n % 12) * 5).padStart(2, "0")}`);

const ownLimits: fc.Arbitrary<Partial<Limits> | null> = fc.oneof(
  fc.constant(null),
  fc.record(
    {
      concurrency: fc.constantFrom(64, 128, 256),
      rowsPerSecond: fc.constantFrom(null, 10, 50),
      requestsPerSecond: fc.constantFrom(null, 100),
    },
    { requiredKeys: [] },
  ),
);

const openWindow: fc.Arbitrary<OpenWindow> = fc
  .record({
    days: fc.subarray([...DAYS], { minLength: 1 }),
    from: time,
    to: fc.oneof(time, fc.constant("24:00")),
    limits: ownLimits,
  })
  .filter(({ from, to }) => from !== to);

/** Windows in `zone` and an instant, half of the time within a day of a change of its clocks, a year's end or a leap day. */
export function zonedWindows(zone: string): fc.Arbitrary<{ windows: Windows; from: number }> {
  const first = Date.UTC(2005, 0);
  const last = Date.UTC(2036, 0);
  const changes = (moment.tz.zone(zone)?.untils ?? []).filter((until) => until > first && until < last);
  const special = [...changes, Date.UTC(2025, 11, 31, 12), Date.UTC(2028, 1, 29), Date.UTC(2011, 11, 30)];
  const day = 86_400_000;
  const instant = fc.oneof(
    fc.integer({ min: first / 60_000, max: last / 60_000 }).map((minutes) => minutes * 60_000),
    fc
      .tuple(fc.constantFrom(...special), fc.integer({ min: -1440, max: 0 }))
      .map(([change, minutes]) => change + minutes * 60_000),
  );
  return instant.chain((from) =>
    fc.record({
      from: fc.constant(from),
      windows: fc.record({
        timezone: fc.constant(zone),
        open: fc.array(openWindow, { minLength: 1, maxLength: 4 }),
        closed: fc
          .uniqueArray(fc.integer({ min: -2, max: 12 }), { maxLength: 3 })
          .map((days) => days.map((n) => new Date(from + n * day).toISOString().slice(0, 10))),
        stages: fc.constant(["copy"] as const),
      }),
    }),
  );
}
