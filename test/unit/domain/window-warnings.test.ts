/** Windows and limits that are valid but probably mistakes: preflight's warnings. */

import { describe, expect, it } from "vitest";
import type { JobSpec, OpenWindow, Windows } from "../../../src/domain/job-spec.ts";
import { windowWarnings } from "../../../src/domain/windows/window-warnings.ts";
import { luxonCalendar } from "../../../src/stores/luxon-calendar.ts";
import { at } from "../../support/clocks/wall-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";

const NOW = at("Africa/Cairo", "2026-03-02 12:00");
const night = (change: Partial<OpenWindow> = {}): OpenWindow => ({
  days: ["mon"],
  from: "22:00",
  to: "06:00",
  limits: null,
  ...change,
});
const open = (...windows: OpenWindow[]): Windows => ({
  timezone: "Africa/Cairo",
  open: windows,
  closed: [],
  stages: ["copy"],
});
const closed = (...dates: string[]): Windows => ({ ...open(night()), closed: dates });
const dates = (from: string, days: number) =>
  Array.from({ length: days }, (_, i) =>
    new Date(Date.parse(from) + i * 86_400_000).toISOString().slice(0, 10),
  );
const warnings = (windows: Windows | null, change: Partial<JobSpec> = {}) =>
  windowWarnings({ ...AVATARS, windows, ...change }, luxonCalendar, NOW);
const limits = (change: Partial<JobSpec["limits"]>) => ({ limits: { ...AVATARS.limits, ...change } });
const stricter = { limits: { concurrency: 64 } };

describe("a warning", () => {
  it.each<[string, Windows, string, string, RegExp]>([
    [
      "of an overlap with other limits",
      open(
        night({ days: ["sun", "mon"] }),
        night({ days: ["tue"], from: "05:00", to: "07:00", ...stricter }),
      ),
      "windows_overlap",
      "/windows/open/1",
      /open\/0 \(from tue 05:00\).*stricter.*concurrency 64/,
    ],
    [
      "of an overlap over the end of the week",
      open(
        night({ days: ["sun"] }),
        night({ days: ["mon"], from: "05:00", to: "07:00", limits: { rowsPerSecond: 7 } }),
      ),
      "windows_overlap",
      "/windows/open/1",
      /from mon 05:00.*concurrency 128, rowsPerSecond 7/,
    ],
    [
      "of an overlap over the end of the week, the other way round",
      open(night({ days: ["mon"], from: "05:00", to: "07:00", ...stricter }), night({ days: ["sun"] })),
      "windows_overlap",
      "/windows/open/1",
      /from mon 05:00/,
    ],
    [
      "of windows that stay shut for long",
      closed(...dates("2026-03-01", 420)),
      "window_never_opens",
      "/windows",
      /2027-04-26T20:00:00.000Z/,
    ],
    [
      "of closed dates that are over",
      closed("2025-12-24", "2026-03-01"),
      "closed_dates_past",
      "/windows/closed",
      /past/,
    ],
    [
      "of a rate too low for the window",
      open(night({ from: "22:00", to: "22:10", limits: { requestsPerSecond: 0.001 } })),
      "limit_below_one_object",
      "/windows/open/0/limits/requestsPerSecond",
      /0.001/,
    ],
  ])("%s has its place and words", (_, windows, code, pointer, words) => {
    expect(warnings(windows)).toEqual([{ code, pointer, message: expect.stringMatching(words) }]);
  });

  it.each<[string, Windows]>([
    ["one window", open(night())],
    [
      "windows that touch",
      open(night({ to: "24:00" }), night({ days: ["tue"], from: "00:00", ...stricter })),
    ],
    ["windows that overlap and limit alike", open(night(), night({ from: "23:00" }))],
    [
      "windows whose own limits say what the job says",
      open(night(), night({ limits: { concurrency: 128 } })),
    ],
    ["the same hours of other days", open(night(), night({ days: ["wed"], ...stricter }))],
    ["a date that is closed today", closed("2025-12-24", "2026-03-02")],
    ["windows shut for less than 400 days", closed(...dates("2026-03-01", 390))],
    ["a rate just enough", open(night({ from: "22:00", to: "22:10", limits: { requestsPerSecond: 0.01 } }))],
  ])("is not given for %s", (_, windows) => {
    expect(warnings(windows)).toEqual([]);
  });

  it("is given for rates that do not move one object a day, where there are no windows", () => {
    const pointers = (change: Partial<JobSpec>) => warnings(null, change).map(({ pointer }) => pointer);
    expect(pointers(limits({ requestsPerSecond: 1e-5 }))).toEqual(["/limits/requestsPerSecond"]);
    expect(pointers(limits({ requestsPerSecond: 2e-5, rowsPerSecond: 1e-5 }))).toEqual([]);
    const reference = { set: {}, urlPrefix: null, where: {}, keepUpdatedAt: true };
    const references = [{ database: "app", table: "images", key: "id", column: "path", ...reference }];
    expect(pointers({ ...limits({ rowsPerSecond: 1e-5 }), references })).toEqual(["/limits/rowsPerSecond"]);
  });
});
