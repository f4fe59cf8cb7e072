/** Windows across offset changes, midnights, years and closed dates; an independent library gives the local times. */

import fc from "fast-check";
import moment from "moment-timezone";
import { describe, expect, it } from "vitest";
import type { Limits, Windows } from "../../../src/domain/job-spec.ts";
import { OffPeakWindow } from "../../../src/domain/windows/off-peak-window.ts";
import { WindowClock } from "../../../src/domain/windows/window-clock.ts";
import { luxonCalendar } from "../../../src/stores/luxon-calendar.ts";
import {
  at,
  isOpenOnTheWall,
  LIMITS,
  limitsOnTheWall,
  ZONES,
  zonedWindows,
} from "../../support/clocks/wall-clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const windowOf = (windows: Windows, limits: Limits = LIMITS) =>
  new OffPeakWindow(windows, limits, luxonCalendar);
const daily = (timezone: string, from: string, to: string, closed: string[] = []): Windows => ({
  timezone,
  open: [{ days: EVERY_DAY, from, to, limits: null }],
  closed,
  stages: ["copy"],
});

/** The openings in an ISO 8601 interval, as instants in UTC; found by asking for one change after the other. */
function openings(window: OffPeakWindow, interval: string): string[] {
  const [from = "", to = ""] = interval.split("/");
  const end = Date.parse(to);
  const found: string[] = [];
  const text = (time: number) => new Date(time).toISOString().slice(5, 16);
  for (let time: number | null = Date.parse(from); time !== null && time < end; ) {
    const next: number | null = window.nextChange(time);
    if (window.isOpen(time))
      found.push(`${text(time)} ${next === null ? "ever" : text(Math.min(next, end))}`);
    time = next;
  }
  return found;
}

describe("the two libraries", () => {
  it.each(ZONES)("agree on the clocks of %s from 2004 to 2036", (zone) => {
    // Where this fails after an update, one of them has newer rules: narrow the years of these tests until it passes.
    const other = moment.tz.zone(zone);
    for (let time = Date.UTC(2004, 0); time < Date.UTC(2037, 0); time += 12 * HOUR) {
      const { offsetMs } = luxonCalendar.utcOffset(zone, time);
      if (offsetMs !== -(other?.utcOffset(time) ?? Number.NaN) * MINUTE)
        expect.unreachable(`differ at ${new Date(time).toISOString()}`);
    }
  });

  it("refuse zones that are none", () => {
    expect(() => luxonCalendar.utcOffset("Mars/Phobos", 0)).toThrow(RangeError);
  });
});

describe("an opening", () => {
  it.each<[string, Windows, string, string[]]>([
    [
      "over midnight belongs to the day it begins on",
      {
        ...daily("Asia/Tokyo", "22:00", "06:00"),
        open: [{ days: ["fri"], from: "22:00", to: "06:00", limits: null }],
      },
      "2026-03-01T00:00Z/2026-03-15T00:00Z",
      ["03-06T13:00 03-06T21:00", "03-13T13:00 03-13T21:00"],
    ],
    [
      "to 24:00 and one from 00:00 are one",
      {
        ...daily("Asia/Kathmandu", "00:00", "24:00"),
        open: [
          { days: ["sat"], from: "20:00", to: "24:00", limits: null },
          { days: ["sun"], from: "00:00", to: "02:00", limits: null },
        ],
      },
      "2026-03-01T00:00Z/2026-03-10T00:00Z",
      ["03-07T14:15 03-07T20:15"],
    ],
    [
      "to 00:00 ends at midnight",
      daily("Asia/Tokyo", "22:00", "00:00"),
      "2026-03-01T00:00Z/2026-03-02T00:00Z",
      ["03-01T13:00 03-01T15:00"],
    ],
    [
      "over the end of the year goes on",
      daily("Europe/Berlin", "23:00", "01:00"),
      "2026-12-31T12:00Z/2027-01-01T12:00Z",
      ["12-31T22:00 01-01T00:00"],
    ],
    [
      "on a leap day is there",
      daily("Africa/Cairo", "22:00", "02:00"),
      "2028-02-28T12:00Z/2028-03-01T12:00Z",
      ["02-28T20:00 02-29T00:00", "02-29T20:00 03-01T00:00"],
    ],
    [
      "is cut at the midnight of a closed date, and does not begin on one",
      daily("Africa/Cairo", "22:00", "06:00", ["2026-12-24"]),
      "2026-12-22T12:00Z/2026-12-26T12:00Z",
      ["12-22T20:00 12-23T04:00", "12-23T20:00 12-23T22:00", "12-25T20:00 12-26T04:00"],
    ],
    [
      "around the clock is interrupted by a closed date only",
      daily("Asia/Tokyo", "00:00", "24:00", ["2031-05-05"]),
      "2026-01-01T00:00Z/2032-01-01T00:00Z",
      ["01-01T00:00 05-04T15:00", "05-05T15:00 ever"],
    ],
    // Berlin: 29 March 2026, 02:00 becomes 03:00 at 01:00Z; 25 October 2026, 03:00 becomes 02:00 at 01:00Z.
    [
      "within the missing hour does not come that day",
      daily("Europe/Berlin", "02:15", "02:45"),
      "2026-03-28T00:00Z/2026-03-31T00:00Z",
      ["03-28T01:15 03-28T01:45", "03-30T00:15 03-30T00:45"],
    ],
    [
      "that begins in the missing hour begins at its end",
      daily("Europe/Berlin", "02:30", "04:00"),
      "2026-03-29T00:00Z/2026-03-30T00:00Z",
      ["03-29T01:00 03-29T02:00"],
    ],
    [
      "that ends in the missing hour ends at its beginning",
      daily("Europe/Berlin", "01:00", "02:30"),
      "2026-03-28T12:00Z/2026-03-29T12:00Z",
      ["03-29T00:00 03-29T01:00"],
    ],
    [
      "over the missing hour is an hour shorter",
      daily("Europe/Berlin", "22:00", "06:00"),
      "2026-03-28T12:00Z/2026-03-29T12:00Z",
      ["03-28T21:00 03-29T04:00"],
    ],
    [
      "over the doubled hour is an hour longer",
      daily("Europe/Berlin", "01:00", "03:00"),
      "2026-10-24T12:00Z/2026-10-25T12:00Z",
      ["10-24T23:00 10-25T02:00"],
    ],
    [
      "within the doubled hour comes twice",
      daily("Europe/Berlin", "02:15", "02:45"),
      "2026-10-25T00:00Z/2026-10-25T12:00Z",
      ["10-25T00:15 10-25T00:45", "10-25T01:15 10-25T01:45"],
    ],
    [
      "that begins in the doubled hour pauses while clocks show an earlier time again",
      daily("Europe/Berlin", "02:30", "04:00"),
      "2026-10-25T00:00Z/2026-10-25T12:00Z",
      ["10-25T00:30 10-25T01:00", "10-25T01:30 10-25T03:00"],
    ],
    // Lord Howe: half an hour. 5 April 2026, 02:00 becomes 01:30 at 04-04T15:00Z; 4 October 2026, 02:00 becomes 02:30.
    [
      "in the doubled half hour comes twice",
      daily("Australia/Lord_Howe", "01:40", "01:50"),
      "2026-04-04T12:00Z/2026-04-05T12:00Z",
      ["04-04T14:40 04-04T14:50", "04-04T15:10 04-04T15:20"],
    ],
    [
      "in the missing half hour does not come",
      daily("Australia/Lord_Howe", "02:00", "02:30"),
      "2026-10-03T12:00Z/2026-10-04T12:00Z",
      [],
    ],
    // Cairo changes at midnight: 24 April 2026 begins at 01:00; on 29 October 2026 the last hour comes twice.
    [
      "over a midnight that is skipped goes on",
      daily("Africa/Cairo", "23:00", "02:00"),
      "2026-04-23T12:00Z/2026-04-24T12:00Z",
      ["04-23T21:00 04-23T23:00"],
    ],
    [
      "over a midnight that comes twice goes on",
      daily("Africa/Cairo", "22:00", "02:00"),
      "2026-10-29T12:00Z/2026-10-30T12:00Z",
      ["10-29T19:00 10-30T00:00"],
    ],
    // Samoa skipped 30 December 2011, a Friday.
    [
      "of a day that was skipped does not come",
      daily("Pacific/Apia", "10:00", "11:00"),
      "2011-12-29T12:00Z/2012-01-01T00:00Z",
      ["12-29T20:00 12-29T21:00", "12-30T20:00 12-30T21:00", "12-31T20:00 12-31T21:00"],
    ],
    // Newfoundland put clocks back at 00:01: 7 November 2010 began, and a minute later it was the 6th again.
    [
      "comes again when clocks go back over midnight",
      daily("America/St_Johns", "23:30", "24:00"),
      "2010-11-06T12:00Z/2010-11-07T12:00Z",
      ["11-07T02:00 11-07T02:30", "11-07T03:00 11-07T03:30"],
    ],
  ])("%s", (_, windows, interval, expected) => {
    expect(openings(windowOf(windows), interval)).toEqual(expected);
  });

  it("begins with its first millisecond and is over with its last", () => {
    const window = windowOf(daily("Africa/Cairo", "22:00", "06:00"));
    const opens = at("Africa/Cairo", "2026-01-05 22:00");
    const closes = at("Africa/Cairo", "2026-01-06 06:00");
    expect([opens - 1, opens, closes - 1, closes].map((time) => window.isOpen(time))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(window.nextChange(opens - 1)).toBe(opens);
    expect(window.nextChange(opens)).toBe(closes);
    expect(window.nextChange(closes - 1)).toBe(closes);
    expect(window.nextOpening(opens - 1)).toBe(opens);
    expect(window.nextOpening(opens)).toBe(opens);
    expect(window.nextOpening(closes)).toBe(at("Africa/Cairo", "2026-01-06 22:00"));
  });

  it("that never comes has no next one", () => {
    const window = windowOf({ ...daily("Africa/Cairo", "22:00", "06:00", ["2027-01-01"]), open: [] });
    expect([window.nextChange(0), window.nextOpening(0)]).toEqual([null, null]);
  });

  it("after a long row of closed dates is found", () => {
    const closed = Array.from({ length: 500 }, (_, i) =>
      new Date(Date.UTC(2026, 0, 1) + i * DAY).toISOString().slice(0, 10),
    );
    const window = windowOf(daily("Europe/Berlin", "22:00", "06:00", closed));
    const opens = at("Europe/Berlin", "2027-05-16 22:00");
    expect(window.nextOpening(at("Europe/Berlin", "2026-01-01 12:00"))).toBe(opens);
  });
});

describe("limits", () => {
  const unlimited: Limits = { ...LIMITS, requestsPerSecond: 100 };
  const windows: Windows = {
    ...daily("Africa/Cairo", "00:00", "24:00"),
    open: [
      { days: ["mon"], from: "20:00", to: "24:00", limits: { concurrency: 256, requestsPerSecond: null } },
      { days: ["mon"], from: "22:00", to: "02:00", limits: { concurrency: 64, rowsPerSecond: 5 } },
      { days: ["mon"], from: "23:00", to: "24:00", limits: null },
    ],
  };
  const window = windowOf(windows, unlimited);

  it.each<[string, Partial<Limits>]>([
    ["19:00", {}],
    ["21:00", { concurrency: 256, requestsPerSecond: null }],
    ["22:30", { concurrency: 64, rowsPerSecond: 5 }],
    ["23:30", { concurrency: 64, rowsPerSecond: 5 }],
  ])("at %s are the strictest of what is open, over the job's", (time, expected) => {
    expect(window.limitsAt(at("Africa/Cairo", `2026-01-05 ${time}`))).toEqual({ ...unlimited, ...expected });
  });

  it("change at their own instants, and windows that limit alike are no change", () => {
    const changes = [at("Africa/Cairo", "2026-01-05 12:00")];
    for (let i = 0; i < 4; i += 1) changes.push(window.nextChange(changes.at(-1) ?? 0) ?? 0);
    expect(changes.slice(1)).toEqual(
      ["2026-01-05 20:00", "2026-01-05 22:00", "2026-01-06 02:00", "2026-01-12 20:00"].map((time) =>
        at("Africa/Cairo", time),
      ),
    );
  });
});

describe.each(ZONES)("in %s", (zone) => {
  it("open and limits are what the clock on the wall says, every seven minutes", () => {
    fc.assert(
      fc.property(zonedWindows(zone), ({ windows, from }) => {
        const window = windowOf(windows);
        for (let time = from; time < from + 2 * DAY; time += 7 * MINUTE) {
          expect([new Date(time), window.isOpen(time)]).toEqual([
            new Date(time),
            isOpenOnTheWall(windows, time),
          ]);
          expect(window.limitsAt(time)).toEqual(limitsOnTheWall(windows, time));
        }
      }),
      { numRuns: 12 },
    );
  });

  it("the next change is the first", () => {
    fc.assert(
      fc.property(zonedWindows(zone), fc.integer({ min: 0, max: MINUTE }), ({ windows, from }, more) => {
        const window = windowOf(windows);
        const start = from + more;
        const next = window.nextChange(start);
        const before = limitsOnTheWall(windows, start);
        const wasOpen = isOpenOnTheWall(windows, start);
        const end = next ?? start + 30 * DAY;
        const same = (time: number) => {
          expect([time, isOpenOnTheWall(windows, time)]).toEqual([time, wasOpen]);
          expect(limitsOnTheWall(windows, time)).toEqual(before);
        };
        const step = Math.max(MINUTE, Math.floor((end - start) / 60));
        for (let time = start; time < end; time += step) same(time);
        same(end - 1);
        if (next === null) return;
        const after = { isOpen: isOpenOnTheWall(windows, next), limits: limitsOnTheWall(windows, next) };
        expect(after).not.toEqual({ isOpen: wasOpen, limits: before });
      }),
      { numRuns: 30 },
    );
  });
});

describe("a window clock", () => {
  it("says what the window says, whichever way time goes", () => {
    fc.assert(
      fc.property(
        zonedWindows("Europe/Berlin"),
        fc.array(fc.integer({ min: -3 * DAY, max: 3 * DAY }), { maxLength: 30 }),
        ({ windows, from }, steps) => {
          const window = windowOf(windows);
          const clock = new WindowClock(window);
          for (const step of steps) {
            const { isOpen, limits, until } = clock.spanAt(from + step);
            expect({ isOpen, limits }).toEqual(window.stateAt(from + step));
            expect(until).toBe(window.nextChange(from + step));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("asks the calendar again at the edge, and not before", () => {
    let asked = 0;
    const counting = {
      utcOffset: (timezone: string, time: number) => {
        asked += 1;
        return luxonCalendar.utcOffset(timezone, time);
      },
    };
    const clock = new WindowClock(
      new OffPeakWindow(daily("Africa/Cairo", "22:00", "06:00"), LIMITS, counting),
    );
    const opens = at("Africa/Cairo", "2026-01-05 22:00");
    clock.spanAt(opens);
    const first = asked;
    for (let time = opens; time < opens + 8 * HOUR; time += 1000) clock.spanAt(time);
    expect(asked).toBe(first);
    expect(clock.spanAt(opens + 8 * HOUR).isOpen).toBe(false);
    expect(asked).toBeGreaterThan(first);
  });
});
