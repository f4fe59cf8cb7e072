/** When large objects go in parts: unless single copies were seen to be fast, or parts to be slow. */

import { describe, expect, it } from "vitest";
import { CopySpeeds } from "../../../src/stores/s3/copy/copy-speeds.ts";

const MIB = 1024 ** 2;

/** Copies seen, as [way, MiB, milliseconds]. */
type Copied = readonly ["single" | "parts", number, number];

describe("the choice between one request and parts", () => {
  it.each<[string, Copied[], number, boolean]>([
    ["nothing was seen yet", [], 256, true],
    ["only fast parts were seen, and the object is small enough to try", [["parts", 500, 100]], 512, false],
    ["only fast parts were seen, and the object is larger", [["parts", 500, 100]], 513, true],
    ["only parts were seen, just fast enough", [["parts", 256, 1000]], 5000, true],
    ["only poor parts were seen", [["parts", 255, 1000]], 5000, false],
    ["a single copy would take more than 1 s", [["single", 300, 1000]], 301, true],
    ["a single copy would take 1 s", [["single", 300, 1000]], 300, false],
    [
      "a single copy would take 1 s, though parts were faster",
      [
        ["single", 300, 1000],
        ["parts", 300, 100],
      ],
      300,
      false,
    ],
    ["only small single copies were seen, which tell of latency", [["single", 63, 1]], 5000, true],
    ["the smallest telling single copy was seen", [["single", 64, 1]], 5000, false],
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
