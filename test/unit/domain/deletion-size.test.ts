import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EvidenceGap } from "../../../src/domain/evidence-gap.ts";
import { DeletionSize } from "../../../src/domain/rates/deletion-size.ts";

/** A store that takes so long for any request, and so long more for each key of a deletion. */
function settledOn(requestMs: number, keyMs: number, rounds = 200): DeletionSize {
  const size = new DeletionSize();
  for (let round = 0; round < rounds; round += 1) {
    size.note(size.keys, requestMs, requestMs + keyMs * size.keys);
  }
  return size;
}

describe("how many keys a deletion may have that only a look guards", () => {
  test.each([
    ["Ceph, which takes 430 to 820 ms for a thousand", 8, 0.6, 20],
    ["a quick store", 2, 0.05, 600],
    ["a slow one", 15, 1, 5],
  ])("on %s the median from look to answer stays within 50 ms", (_, requestMs, keyMs, least) => {
    const size = settledOn(requestMs, keyMs);
    expect(size.gap.medianMs).toBeLessThanOrEqual(50);
    expect(size.keys).toBeGreaterThanOrEqual(least);
  });

  test("on a store that is far away the keys take no more than 10 ms beside look and request", () => {
    const size = settledOn(60, 0.6);
    expect(size.keys).toBe(16);
    expect(size.gap.medianMs).toBeLessThanOrEqual(130);
  });

  test("on a store that takes long for each key it is one", () => {
    expect(settledOn(10, 50).keys).toBe(1);
  });

  test("stays between one and a thousand, whatever is measured", () => {
    const ms = fc.double({ min: 0, max: 1e6, noNaN: true });
    const requests = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), ms, ms));
    fc.assert(
      fc.property(requests, (all) => {
        const size = new DeletionSize();
        for (const [keys, lookMs, deleteMs] of all) size.note(Math.min(keys, size.keys), lookMs, deleteMs);
        expect(size.keys).toBeGreaterThanOrEqual(1);
        expect(size.keys).toBeLessThanOrEqual(1000);
        expect(Number.isInteger(size.keys)).toBe(true);
      }),
    );
  });

  test("does not grow by requests that had fewer keys than they might", () => {
    const size = new DeletionSize();
    const { keys } = size;
    size.note(1, 1, 1);
    expect(size.keys).toBe(keys);
  });
});

describe("the age of evidence", () => {
  test("is unknown before anything was measured, and the median of the last hundred then", () => {
    const gap = new EvidenceGap();
    expect(gap.medianMs).toBeNull();
    for (let ms = 1; ms <= 1000; ms += 1) gap.note(ms);
    expect(gap.medianMs).toBe(950);
  });
});
