import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeletionSize } from "../../src/domain/deletion-size.ts";
import { EvidenceGap } from "../../src/domain/evidence-gap.ts";

/** A store that takes so long for a request, and so long for each of its keys. */
function settledOn(requestMs: number, keyMs: number, rounds = 200): DeletionSize {
  const size = new DeletionSize();
  for (let round = 0; round < rounds; round += 1) size.note(size.keys, requestMs + keyMs * size.keys);
  return size;
}

describe("how many keys a deletion may have that only a look guards", () => {
  test.each([
    ["Ceph, which takes 430 to 820 ms for a thousand", 10, 0.6],
    ["a quick store", 2, 0.05],
    ["a slow one", 20, 2],
  ])("on %s the median from look to answer stays within 50 ms", (_, requestMs, keyMs) => {
    const size = settledOn(requestMs, keyMs);
    expect(size.gap.medianMs).toBeLessThanOrEqual(50);
    expect(size.keys).toBeGreaterThan(1);
  });

  test("on a store that is slower than that for one key it is one", () => {
    expect(settledOn(80, 1).keys).toBe(1);
  });

  test("stays between one and a thousand, whatever is measured", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1e6, noNaN: true }))),
        (all) => {
          const size = new DeletionSize();
          for (const [keys, ms] of all) size.note(Math.min(keys, size.keys), ms);
          expect(size.keys).toBeGreaterThanOrEqual(1);
          expect(size.keys).toBeLessThanOrEqual(1000);
          expect(Number.isInteger(size.keys)).toBe(true);
        },
      ),
    );
  });

  test("does not grow by requests that had fewer keys than they might", () => {
    const size = new DeletionSize();
    const { keys } = size;
    size.note(1, 1);
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
