/** What the benchmark makes of a store's timeline, and how it prints. */

import { describe, expect, it } from "vitest";
import { sharesOf } from "../../../bench/sections/throttled.ts";
import type { StoreSample } from "../../../bench/worlds/store-process.ts";

/** A moment at which so many copies were received, admitted and rejected. */
const at = (seconds: number, received: number, admitted: number): StoreSample => ({
  ms: seconds * 1000,
  received: { "CopyObject bucket-b": received, "ListObjectsV2 bucket-a": 7 },
  slowDown: { "bucket-a": 0, "bucket-b": received - admitted },
  granted: { "bucket-a": 0, "bucket-b": admitted },
});

describe("shares of a throttled run", () => {
  it("are those between the first copy and the last, and again after five seconds", () => {
    const timeline = [at(0, 0, 0), at(2, 0, 0), at(7, 4000, 2500), at(12, 9050, 7500), at(20, 9050, 7500)];
    const shares = sharesOf(timeline, 1000);
    expect(shares.used).toBeCloseTo(7500 / 10_000);
    expect(shares.usedLater).toBeCloseTo(5000 / 5000);
    expect(shares.rejected).toBeCloseTo(1550 / 9050);
    expect(shares.rejectedLater).toBeCloseTo(50 / 5050);
  });

  it("have no later part when all was over before", () => {
    const shares = sharesOf([at(0, 0, 0), at(1, 500, 500), at(1.1, 500, 500)], 1000);
    expect(shares.used).toBeCloseTo(0.5);
    expect(shares.usedLater).toBeNaN();
  });
});
