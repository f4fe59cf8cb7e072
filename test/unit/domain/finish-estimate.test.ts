/** The estimated end of work done only while windows are open, and the number of openings. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateFinish, FARTHEST_MS } from "../../../src/domain/finish-estimate.ts";
import type { Windows } from "../../../src/domain/job-spec.ts";
import { OffPeakWindow } from "../../../src/domain/windows/off-peak-window.ts";
import { luxonCalendar } from "../../../src/stores/luxon-calendar.ts";
import { at, isOpenOnTheWall, LIMITS, zonedWindows } from "../../support/clocks/wall-clock.ts";

const MINUTE = 60_000;
const STEP = 5 * MINUTE;
const HOUR = 3600;
const NIGHTS: Windows = {
  timezone: "Africa/Cairo",
  open: [
    {
      days: ["mon", "tue", "wed", "thu", "fri"],
      from: "22:00",
      to: "06:00",
      limits: null,
    },
    { days: ["sat", "sun"], from: "00:00", to: "06:00", limits: { concurrency: 256 } },
  ],
  closed: [],
  stages: ["copy"],
};
const windowOf = (windows: Windows) => new OffPeakWindow(windows, LIMITS, luxonCalendar);
/** 5 January 2026 was a Monday. */
const local = (time: string) => at("Africa/Cairo", time);

describe("the finish", () => {
  it.each<[string, string, number, string, number]>([
    ["in this opening", "2026-01-05 23:00", HOUR, "2026-01-06 00:00", 1],
    ["with the closing", "2026-01-05 23:00", 7 * HOUR, "2026-01-06 06:00", 1],
    ["a second into the next", "2026-01-05 23:00", 7 * HOUR + 1, "2026-01-06 22:00", 2],
    ["of work that waits first", "2026-01-05 12:00", 60, "2026-01-05 22:01", 1],
    ["after 3 nights, Thursday 03:40", "2026-01-05 12:00", (16 + 5) * HOUR + 40 * 60, "2026-01-08 03:40", 3],
  ])("%s", (_, from, seconds, expected, openings) => {
    const finish = estimateFinish(windowOf(NIGHTS), { seconds, from: local(from) });
    expect(finish?.openings).toBe(openings);
    expect(Math.floor(((finish?.at ?? 0) - local(expected)) / MINUTE)).toBe(0);
  });

  it("of no work is now, open or not", () => {
    const from = local("2026-01-05 12:00");
    expect(estimateFinish(windowOf(NIGHTS), { seconds: 0, from })).toEqual({ at: from, openings: 0 });
  });

  it("comes sooner by what other limits speed up, and limits that change in an opening are no new opening", () => {
    // Two hours of Friday night at 128 leave two of the four; at 256 they take one.
    const weekend: Windows = {
      ...NIGHTS,
      open: [
        { days: ["fri"], from: "22:00", to: "24:00", limits: null },
        { days: ["sat"], from: "00:00", to: "06:00", limits: { concurrency: 256 } },
      ],
    };
    const from = local("2026-01-09 22:00");
    const speedOf = ({ concurrency }: { concurrency: number }) => concurrency / 128;
    const finish = estimateFinish(windowOf(weekend), { seconds: 4 * HOUR, from, speedOf });
    expect(finish).toEqual({ at: local("2026-01-10 01:00"), openings: 1 });
    // The last hour of Saturday does two of three hours' work.
    const late = { seconds: 3 * HOUR, from: local("2026-01-10 05:00"), speedOf };
    expect(estimateFinish(windowOf(weekend), late)).toEqual({ at: local("2026-01-16 23:00"), openings: 2 });
  });

  it("is not known beyond three years, nor where nothing opens", () => {
    const from = local("2026-01-05 12:00");
    expect(estimateFinish(windowOf(NIGHTS), { seconds: FARTHEST_MS / 1000 / 2, from })).toBeNull();
    expect(estimateFinish(windowOf({ ...NIGHTS, open: [] }), { seconds: 1, from })).toBeNull();
    const always: Windows = {
      ...NIGHTS,
      open: [
        {
          days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
          from: "00:00",
          to: "24:00",
          limits: null,
        },
      ],
    };
    expect(estimateFinish(windowOf(always), { seconds: FARTHEST_MS / 1000, from })?.at).toBe(
      from + FARTHEST_MS,
    );
    expect(estimateFinish(windowOf(always), { seconds: FARTHEST_MS / 1000 + 1, from })).toBeNull();
  });

  it("leaves exactly the work's worth of open time before it, by the clock on the wall", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Africa/Cairo", "Europe/Berlin", "Australia/Lord_Howe").chain(zonedWindows),
        fc.integer({ min: 1, max: 600 }),
        ({ windows, from: any }, steps) => {
          // Windows and changes of these clocks lie on a grid of five minutes.
          const from = Math.floor(any / STEP) * STEP;
          const finish = estimateFinish(windowOf(windows), { seconds: (steps * STEP) / 1000, from });
          let open = 0;
          let openings = 0;
          let wasOpen = false;
          for (let time = from; open < steps && time < from + 30 * 1440 * MINUTE; time += STEP) {
            const isOpen = isOpenOnTheWall(windows, time);
            if (isOpen) open += 1;
            if (isOpen && !wasOpen) openings += 1;
            wasOpen = isOpen;
            if (open === steps) expect(finish).toEqual({ at: time + STEP, openings });
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
