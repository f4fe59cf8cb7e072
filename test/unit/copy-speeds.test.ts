/** When large objects go in parts: only where single copies are slow and parts are not slower. */

import { describe, expect, it } from "vitest";
import { CopySpeeds } from "../../src/stores/s3/copy-speeds.ts";

const MIB = 1024 ** 2;

/** Copies seen, as [way, MiB, milliseconds]. */
type Copied = readonly ["single" | "parts", number, number];

describe("the choice between one request and parts", () => {
  it.each<[string, Copied[], number, boolean]>([
    ["nothing was seen yet", [], 5000, false],
    ["only parts were seen", [["parts", 500, 100]], 5000, false],
    ["a single copy would take more than 2 s", [["single", 100, 1000]], 201, true],
    ["a single copy would take 2 s", [["single", 100, 1000]], 200, false],
    ["only small copies were seen, which tell of latency", [["single", 63, 60_000]], 5000, false],
    ["the smallest telling copy was seen", [["single", 64, 640]], 300, true],
    [
      "parts were faster",
      [
        ["single", 100, 1000],
        ["parts", 300, 1000],
      ],
      300,
      true,
    ],
    [
      "parts were slower",
      [
        ["single", 100, 1000],
        ["parts", 300, 4000],
      ],
      300,
      false,
    ],
    [
      "parts were just as fast",
      [
        ["single", 100, 1000],
        ["parts", 300, 3000],
      ],
      300,
      false,
    ],
    ["copies took no time at all", [["single", 100, 0]], 5000, false],
  ])("when %s", (_, copies, size, inParts) => {
    const speeds = new CopySpeeds();
    for (const [way, mib, ms] of copies) speeds.note(way, mib * MIB, ms);
    expect(speeds.prefersParts(size * MIB)).toBe(inParts);
  });

  it("follows a store whose speed changes", () => {
    const speeds = new CopySpeeds();
    speeds.note("single", 100 * MIB, 100);
    expect(speeds.prefersParts(300 * MIB)).toBe(false);
    for (let n = 0; n < 20; n++) speeds.note("single", 100 * MIB, 2000);
    expect(speeds.prefersParts(300 * MIB)).toBe(true);
    for (let n = 0; n < 20; n++) speeds.note("parts", 300 * MIB, 30_000);
    expect(speeds.prefersParts(300 * MIB)).toBe(false);
  });
});
