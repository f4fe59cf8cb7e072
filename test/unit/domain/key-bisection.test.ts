/** Points between keys: strictly between them in byte order, well-formed, and found wherever there is one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyAlphabet } from "../../../src/domain/keys/key-alphabet.ts";
import { codePoints, pointBetween, sharedLength } from "../../../src/domain/keys/key-bisection.ts";
import { compareKeys } from "../../../src/domain/keys/key-order.ts";
import {
  blindSplitPoint,
  logKeySpaceSize,
  type Remainder,
  splitPoint,
} from "../../../src/domain/keys/split-point.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";

/** Characters at boundaries: control characters, the last before the surrogates, U+E000–U+FFFF, the astral planes. */
const unit = fc.oneof(
  fc.constantFrom("\x00", "\x01", "\x02", "/", "0", "9", "a", "b", "~", "\x7f", "\u0080", "\ud7fe", "\ud7ff"),
  fc.constantFrom("\ue000", "\ue001", "\uffff", "\u{10000}", "\u{1f600}", "\u{10fffe}", "\u{10ffff}"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
);
const short = fc.string({ unit, maxLength: 5 });
/** Keys that differ late, and by little. */
const key = fc.oneof(
  short,
  fc
    .tuple(fc.constantFrom("p".repeat(1016), "😀".repeat(200), "\uffff"), short)
    .map((parts) => parts.join("")),
  fc.constantFrom(...hostileKeys),
);
const bytes = (text: string) => Buffer.from(text, "utf8");

describe("the point between two keys", () => {
  it("lies strictly between, is well-formed, and is missing only where nothing lies between", () => {
    fc.assert(
      fc.property(key, key, (low, high) => {
        const point = pointBetween(low, high);
        const nothingBetween = Buffer.compare(bytes(low), bytes(high)) >= 0 || high === `${low}\x00`;
        expect(point === null).toBe(nothingBetween);
        if (point === null) return;
        expect(point.isWellFormed()).toBe(true);
        expect(Buffer.compare(bytes(low), bytes(point))).toBe(-1);
        expect(Buffer.compare(bytes(point), bytes(high))).toBe(-1);
      }),
      { numRuns: 5000 },
    );
  });

  it("lies between neighbours of every kind", () => {
    fc.assert(
      fc.property(key, unit, (low, more) => {
        // The smallest successors: strings that begin with `low`.
        const high = `${low}${more}`;
        const point = pointBetween(low, high);
        expect(point === null).toBe(more === "\x00");
        if (point !== null) expect([low, point, high].sort(compareKeys)).toEqual([low, point, high]);
      }),
      { numRuns: 2000 },
    );
  });

  it("is above any key where there is no upper bound", () => {
    fc.assert(
      fc.property(key, (low) => {
        const point = pointBetween(low, null) ?? "";
        expect(point.isWellFormed()).toBe(true);
        expect(compareKeys(point, low)).toBeGreaterThan(0);
      }),
    );
  });

  it("closes in on any key in a few steps for each of its characters", () => {
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 6 }), (sought) => {
        let low = "";
        let high: string | null = null;
        let steps = 0;
        for (;;) {
          const point: string | null = pointBetween(low, high);
          if (point === null || point === sought) break;
          if (compareKeys(point, sought) < 0) low = point;
          else high = point;
          steps += 1;
          expect(steps).toBeLessThanOrEqual(22 * (codePoints(sought).length + 1));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["a", "c", "b"],
    ["\ud7fe", "\ue000", "\ud7ff"],
    ["\ud7ff", "\ue001", "\ue000"],
    ["a", "b\x00", "b"],
    ["", "\x01", "\x00"],
  ])("of %j and %j is %j", (low, high, point) => {
    expect(pointBetween(low, high)).toBe(point);
  });
});

const alphabetOf = (...texts: readonly string[]) => {
  const alphabet = new KeyAlphabet();
  for (const text of texts) alphabet.learn(text);
  return alphabet;
};

describe("the alphabet", () => {
  it("gives the characters strictly between two in byte order", () => {
    const alphabet = alphabetOf("b\uffff", "a😀", "a\ue000");
    expect(alphabet.between(0x61, 0x11_0000)).toEqual([0x62, 0xe000, 0xffff, 0x1f600]);
    expect(alphabet.between(0x61, 0xe000)).toEqual([0x62]);
    expect(alphabet.between(0x62, 0xe000)).toEqual([]);
  });
});

const remainder = (after: string, upTo: string | null, more: Partial<Remainder> = {}): Remainder => ({
  after,
  upTo,
  prefixLevel: "image/".length,
  fanLevel: null,
  pageLevel: 10,
  ...more,
});

describe("a split", () => {
  const digits = alphabetOf("0123456789");

  it("lies strictly inside what remains and begins with the prefix, for any keys and any alphabet", () => {
    const level = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(
        key,
        fc.option(key),
        fc.array(short),
        level,
        fc.option(level),
        (one, other, seen, page, fan) => {
          const ends = [one, other ?? one].map((rest) => `image/${rest}`).sort(compareKeys);
          const [after = "", end = ""] = ends;
          const upTo = other === null ? null : end;
          if (upTo === after) return;
          const what = remainder(after, upTo, {
            pageLevel: 6 + page,
            fanLevel: fan === null ? null : 6 + fan,
          });
          const alphabet = alphabetOf(...seen);
          expect(logKeySpaceSize(what, alphabet)).not.toBeNaN();
          for (const point of [splitPoint(what, alphabet), blindSplitPoint(what)]) {
            if (point === null) continue;
            expect(point.key.startsWith("image/")).toBe(true);
            expect(point.key.isWellFormed()).toBe(true);
            expect(bytes(point.key).length).toBeLessThanOrEqual(1024);
            expect(compareKeys(point.key, after)).toBeGreaterThan(0);
            if (upTo !== null) expect(compareKeys(point.key, upTo)).toBeLessThan(0);
            const cut = codePoints(point.key);
            expect(sharedLength(cut, codePoints(after))).toBeLessThanOrEqual(point.level);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["halves known characters between its ends", remainder("image/1234", "image/9"), "image/5"],
    ["halves where keys are known to differ", remainder("image/012345", null, { fanLevel: 6 }), "image/5"],
    ["asks half-way down where nothing is known", remainder("image/000000123", null), "image/001"],
    ["goes below what its ends share", remainder("image/0001234", "image/0002"), "image/00013"],
    [
      "is not worth it where less than a page is left",
      remainder("image/0009", "image/001", { pageLevel: 7 }),
      null,
    ],
    ["has no known character above the last", remainder("image/99999999", null), null],
  ])("%s", (_, what, point) => {
    expect(splitPoint(what, digits)?.key ?? null).toBe(point);
  });

  it("passes a thousand shared characters in a few steps", () => {
    const shared = `image/${"d".repeat(1000)}`;
    let upTo: string | null = null;
    let steps = 0;
    for (let level = 0; level < 1006; steps += 1) {
      const what = remainder(`${shared}000123`, upTo, { pageLevel: 1009 });
      const point = splitPoint(what, alphabetOf("d0123456789"));
      if (point === null) throw new Error("no split");
      // At smaller levels no split finds keys; at level 1006 it halves them.
      level = point.level;
      if (level < 1006) upTo = point.key;
    }
    expect(steps).toBeLessThanOrEqual(12);
  });

  it("seems the larger the more key space is left", () => {
    const sizes = [
      remainder("image/0", null),
      remainder("image/5", null),
      remainder("image/5", "image/6"),
      remainder("image/500", "image/501"),
      remainder("image/500500", "image/500501"),
    ].map((what) => logKeySpaceSize(what, digits));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(new Set(sizes).size).toBe(sizes.length);
  });
});
