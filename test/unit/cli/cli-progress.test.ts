/** The progress line at all widths, and when and where it is drawn. */

import stringWidth from "string-width";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { humanBytes, humanDuration, humanMoment, humanTime } from "../../../src/cli/rendering/human-units.ts";
import { progressLine, renderProgress } from "../../../src/cli/rendering/progress-bar.ts";
import { startProgressDisplay } from "../../../src/cli/rendering/progress-display.ts";
import { fitColumns, printable } from "../../../src/cli/rendering/terminal-text.ts";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { ReadBack, viewWith } from "../../support/worlds/cli-world.ts";

const NOW = new Date(2026, 9, 1, 12).getTime();
const at = (hours: number, minutes: number, day = 1) => new Date(2026, 9, day, hours, minutes).toISOString();

const busy = viewWith({
  rate: { objectsPerSecond: 3120.4, bytesPerSecond: 1_234_567 },
  finishAt: new Date(NOW + 192_000).toISOString(),
});
const exceptions = viewWith({
  objects: { ...busy.objects, moved: 9000, skipped: 3, exceptions: 1 },
});
const unknownTotal = viewWith({ percent: null, planDone: false });
const counted = viewWith({ percent: 2, planDone: false, expected: { objects: 500_000, bytes: null } });
const waiting = viewWith({
  state: "waiting",
  waiting: { reason: "window", since: at(6, 0), until: at(22, 0), detail: "opens mon–fri 22:00" },
  finishAt: at(22, 0),
});

const nights = {
  ...busy.spec,
  windows: {
    ...{ timezone: "Europe/Berlin", closed: [], stages: ["copy"] as const },
    open: [{ days: ["mon"] as const, from: "22:00", to: "06:00", limits: null }],
  },
};
/** 1 October 2026 is a Thursday. */
const inNights = { ...waiting, finishAt: at(3, 40, 4), finishOpenings: 3, spec: nights };

describe("the line of", () => {
  const cases: readonly (readonly [string, JobView, string])[] = [
    ["a running job", busy, " 50.0%  10,000/20,000  3,120 obj/s  1.2 MB/s  ETA 3m 12s (12:03)"],
    ["a job with exceptions", exceptions, " 50.0%  9,000/20,000  3 skipped  1 exception"],
    [
      "a job whose copies wait for the end of the grace period",
      viewWith({ objects: { ...busy.objects, copied: 20_000 } }),
      " 50.0%  10,000/20,000  20,000 copied",
    ],
    ["a job that is being planned", unknownTotal, "moved 10,000, planned 20,000 so far"],
    ["one whose inventory was counted ahead", counted, "  2.0%  10,000/500,000"],
    [
      "one that has more to plan than was counted",
      { ...counted, expected: { objects: 5, bytes: 5 } },
      "  2.0%  10,000/20,000",
    ],
    ["one that has less", { ...counted, planDone: true }, "  2.0%  10,000/20,000"],
    [
      "a job outside its window",
      waiting,
      " 50.0%  10,000/20,000  waits for its window until 22:00  (opens mon–fri 22:00)",
    ],
    [
      "a job that takes three nights",
      inNights,
      " 50.0%  10,000/20,000  done about Sunday 03:40, after 3 nights  waits for its window until 22:00  (opens mon–fri 22:00)",
    ],
    [
      "a job that waits till another day",
      viewWith({ waiting: { reason: "grace", since: at(6, 0), until: at(9, 5, 3), detail: "" } }),
      " 50.0%  10,000/20,000  waits for the grace period until 2026-10-03 09:05",
    ],
    [
      "a paused job",
      viewWith({ state: "paused", reason: "too many exceptions" }),
      " 50.0%  10,000/20,000  paused  (too many exceptions)",
    ],
    [
      "a job with a hostile reason",
      viewWith({ state: "failed", reason: "a\x1b[2Jb\nc\u202e" }),
      " 50.0%  10,000/20,000  failed  (a\ufffd[2Jb\ufffdc\ufffd)",
    ],
  ];

  it.each(cases)("%s", (_, view, line) => {
    expect(progressLine(view, NOW)).toBe(line);
  });
});

describe("the bar", () => {
  const cases: readonly (readonly [string, JobView, number, string])[] = [
    [
      "takes what is left of a wide terminal, 40 at most",
      busy,
      130,
      `${"█".repeat(20)}${"░".repeat(20)}   50.0%  10,000/20,000  3,120 obj/s  1.2 MB/s  ETA 3m 12s (12:03)`,
    ],
    [
      "shrinks to ten",
      busy,
      76,
      `${"█".repeat(5)}${"░".repeat(5)}   50.0%  10,000/20,000  3,120 obj/s  1.2 MB/s  ETA 3m 12s (12:03)`,
    ],
    [
      "gives way to the numbers",
      busy,
      70,
      " 50.0%  10,000/20,000  3,120 obj/s  1.2 MB/s  ETA 3m 12s (12:03)",
    ],
    ["leaves out what matters least", busy, 40, " 50.0%  10,000/20,000  3,120 obj/s"],
    ["keeps what the job waits for", waiting, 60, " 50.0%  10,000/20,000  waits for its window until 22:00"],
    ["keeps the percent", busy, 8, " 50.0%"],
    ["cuts even that", busy, 4, " 50…"],
    ["is none while the total is unknown", unknownTotal, 200, "moved 10,000, planned 20,000 so far"],
    ["is full only when all is done", viewWith({ percent: 99.9 }), 65, `${"█".repeat(39)}░`],
    ["survives a percent beyond the scale", viewWith({ percent: 120 }), 65, "█".repeat(40)],
  ];

  it.each(cases)("%s", (_, view, columns, expected) => {
    expect(renderProgress(view, columns, NOW).startsWith(expected)).toBe(true);
  });

  it("never is wider than the terminal, nor more than one line, whatever it shows", () => {
    const wide = viewWith({
      state: "waiting",
      waiting: {
        reason: "database",
        since: at(1, 0),
        until: null,
        detail: "画像データベース 😀👍🏽 e\u0301 \r\n busy".repeat(9),
      },
      objects: { ...exceptions.objects, planned: 10_000_000_000 },
      rate: { objectsPerSecond: 1e9, bytesPerSecond: 1e18 },
    });
    for (const view of [busy, exceptions, unknownTotal, waiting, wide]) {
      for (let columns = 0; columns <= 150; columns += 1) {
        const line = renderProgress(view, columns, NOW);
        expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/[\r\n]/);
      }
    }
  });

  it("paints only the part that is done", () => {
    expect(renderProgress(viewWith({ percent: 25 }), 65, NOW, (text) => `<${text}>`)).toMatch(
      /^<█{10}>░{30} /,
    );
  });
});

describe("the display", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const start = (output: ReadBack, environment = {}, json = false) =>
    startProgressDisplay({ output, environment, json, now: () => NOW });

  it("redraws five times a second on a terminal, hides the cursor and gives it back", () => {
    const output = new ReadBack(true);
    const display = start(output);
    vi.advanceTimersByTime(1000);
    expect(output.stderr).toBe("");
    display.update(busy);
    vi.advanceTimersByTime(1000);
    expect(output.stderr.split("\r\x1b[2K")).toHaveLength(6);
    expect(output.stderr.startsWith("\x1b[?25l")).toBe(true);
    expect(output.restores.size).toBe(1);
    display.stop();
    display.stop();
    expect(output.stderr.endsWith("\r\n\x1b[?25h")).toBe(true);
    expect(output.restores.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives the cursor back when the process exits under it", () => {
    const output = new ReadBack(true);
    const display = start(output);
    display.update(busy);
    vi.advanceTimersByTime(200);
    for (const restore of output.restores) restore();
    expect(output.stderr.endsWith("\x1b[?25h")).toBe(true);
  });

  it.each([
    [{}, true],
    [{ NO_COLOR: "" }, true],
    [{ NO_COLOR: "1" }, false],
    [{ TERM: "dumb" }, false],
  ])("with the environment %o uses colour: %s", (environment, colour) => {
    const output = new ReadBack(true);
    const display = start(output, environment);
    display.update(busy);
    display.stop();
    expect(output.stderr.includes("\x1b[32m")).toBe(colour);
  });

  it("writes a plain line every ten seconds where there is no terminal, and the last one at the end", () => {
    const output = new ReadBack(false);
    const display = start(output);
    for (let second = 0; second < 25; second += 1) {
      display.update(busy);
      vi.advanceTimersByTime(1000);
    }
    expect(output.stderr.split("\n")).toHaveLength(3);
    display.stop();
    expect(output.stderr.split("\n")).toHaveLength(4);
    expect(output.stderr).not.toContain("\x1b");
  });

  it("is silent with --json", () => {
    const output = new ReadBack(true);
    const display = start(output, {}, true);
    display.update(busy);
    vi.advanceTimersByTime(60_000);
    display.stop();
    expect(output.stderr).toBe("");
  });
});

describe("units", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9960, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [5e18, "5000 PB"],
  ])("%d bytes are %s", (bytes, text) => expect(humanBytes(bytes)).toBe(text));

  it.each([
    [-5, "0s"],
    [59.4, "59s"],
    [59.6, "1m 00s"],
    [3_900, "1h 05m"],
    [273_600, "3d 04h"],
  ])("%d seconds are %s", (seconds, text) => expect(humanDuration(seconds)).toBe(text));

  it("leaves a time that is none as it is", () => expect(humanTime("soon", NOW)).toBe("soon"));

  it("cuts between graphemes", () => {
    expect(fitColumns("日本語", 5)).toBe("日本…");
    expect(fitColumns("日本語", 4)).toBe("日…");
    expect(fitColumns("한글 👍🏽e\u0301\u200b", 8)).toBe("한글 👍🏽e\u0301\u200b");
    expect(fitColumns("한글 👍🏽e\u0301\u200b", 7)).toBe("한글 …");
    expect(fitColumns("abc", 0)).toBe("");
    expect(printable("\ud800x")).toBe("\ufffdx");
  });
});

describe("a moment ahead", () => {
  it.each([
    ["today", at(23, 59), "23:59"],
    ["tomorrow", at(0, 0, 2), "Friday 00:00"],
    ["in six days, a minute less", at(11, 59, 7), "Wednesday 11:59"],
    ["in six days", at(12, 0, 7), "2026-10-07 12:00"],
    ["not ahead", new Date(2026, 8, 30, 12).toISOString(), "2026-09-30 12:00"],
    ["no time", "soon", "soon"],
  ])("%s", (_, iso, expected) => {
    expect(humanMoment(iso, NOW)).toBe(expected);
  });
});
