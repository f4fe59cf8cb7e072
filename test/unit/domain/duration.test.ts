/** Durations as users write them, and text that only resembles one. */

import { describe, expect, it } from "vitest";
import { durationMs, MAX_DURATION_MS, parseDuration } from "../../../src/domain/duration.ts";

describe("a duration", () => {
  it.each([
    ["0s", 0],
    ["90s", 90_000],
    ["15m", 900_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["007s", 7_000],
    ["3650d", MAX_DURATION_MS],
  ])("%s is read", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(durationMs(text)).toBe(ms);
  });

  it.each([
    "",
    "5",
    "s",
    "1 day",
    " 1d",
    "1d ",
    "1d\n",
    "-5s",
    "+5s",
    "1.5h",
    "1e3s",
    "1D",
    "1w",
    "1ms",
    "1h30m",
    "٣s",
    "3651d",
    "99999d",
    "9999999999s",
    "Infinitys",
    "0x10s",
  ])("%j is not one", (text) => {
    expect(parseDuration(text)).toBeNull();
    expect(() => durationMs(text)).toThrow(RangeError);
  });
});
