/** Keys and values are mapped exactly: round trips over hostile strings, and ambiguous values are refused. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeKeyPath,
  keyFault,
  keyOfValue,
  mapKey,
  prefixesOverlap,
  valueForms,
} from "../../../src/domain/keys/key-mapping.ts";
import { spellingsOf } from "../../../src/domain/keys/url-spellings.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const nasty = fc.oneof(
  text,
  fc.constantFrom(...hostileKeys),
  fc.string({ unit: fc.constantFrom("%", "2", "0", "/", "?", "#", "+", " ", "a", "é") }),
);
const CDN = "https://cdn.example.com/";

describe("mapping a key", () => {
  it("and mapping it back gives the key, whatever the strings", () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, (from, to, rest) => {
        const there = mapKey({ from, to }, from + rest);
        expect(there).toBe(to + rest);
        expect(mapKey({ from: to, to: from }, there)).toBe(from + rest);
      }),
    );
  });

  it("is injective under one prefix", () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (from, to, a, b) => {
        fc.pre(a !== b);
        expect(mapKey({ from, to }, from + a)).not.toBe(mapKey({ from, to }, from + b));
      }),
    );
  });

  it("exchanges only the first occurrence of the prefix", () => {
    expect(mapKey({ from: "image/", to: "avatar/" }, "image/image/image/x")).toBe("avatar/image/image/x");
    expect(mapKey({ from: "a", to: "" }, "aaa")).toBe("aa");
    expect(mapKey({ from: "", to: "a" }, "aaa")).toBe("aaaa");
  });

  it.each(["Image/x", " image/x", "imag", "e\u0301/x"])(
    "refuses the key %j, which is not under the prefix",
    (key) => {
      expect(() => mapKey({ from: "image/", to: "avatar/" }, key)).toThrow(RangeError);
    },
  );
});

describe("a key S3 cannot take", () => {
  it.each([
    ["", "key_invalid"],
    ["\ud800", "key_invalid"],
    ["a\udc00", "key_invalid"],
    ["k".repeat(1024), null],
    ["k".repeat(1025), "key_too_long"],
    ["é".repeat(512), null],
    [`${"é".repeat(512)}x`, "key_too_long"],
    ["😀".repeat(256), null],
    [`${"😀".repeat(256)}x`, "key_too_long"],
    ["\x00", null],
  ] as const)("is told by its bytes (%#)", (key, fault) => {
    expect(keyFault(key)).toBe(fault);
  });
});

describe("prefixes overlap", () => {
  it.each([
    ["a/", "a/", true],
    ["a/", "a/b/", true],
    ["a/b/", "a/", true],
    ["", "a/", true],
    ["a", "ab/", true],
    ["a/", "b/", false],
    ["a/", "A/", false],
    ["é/", "e\u0301/", false],
  ])("%j and %j: %s", (a, b, overlap) => {
    expect(prefixesOverlap(a, b)).toBe(overlap);
  });
});

describe("a stored value", () => {
  it("is the key itself where there is no URL around it", () => {
    fc.assert(fc.property(nasty, (key) => void expect(keyOfValue(null, key)).toBe(key)));
  });

  it("in encoded form always gives back its key", () => {
    fc.assert(fc.property(nasty, (key) => void expect(keyOfValue(CDN, CDN + encodeKeyPath(key))).toBe(key)));
  });

  it("is never claimed by two different keys", () => {
    const change = { from: "", to: "new/" };
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        fc.pre(a !== b);
        const valuesOf = (key: string) => valueForms(CDN, change).map((form) => form.valueOf(key));
        const mine = new Set(valuesOf(a).filter((value) => value !== null));
        for (const value of valuesOf(b)) expect(mine.has(value as string)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it("of every form names its key, before the change and after it", () => {
    const change = { from: "image/", to: "new place/é" };
    fc.assert(
      fc.property(nasty, (rest) => {
        for (const form of valueForms(CDN, change)) {
          const value = form.valueOf(`image/${rest}`);
          if (value === null) continue;
          expect(keyOfValue(CDN, value)).toBe(`image/${rest}`);
          expect(value.startsWith(form.change.from)).toBe(true);
        }
      }),
    );
  });

  it("that may mean the key is among its spellings", () => {
    fc.assert(
      fc.property(nasty, (key) => {
        const spellings = spellingsOf(CDN, key);
        expect(spellings).toContain(CDN + key);
        for (const form of valueForms(CDN, { from: "", to: "x" })) {
          const value = form.valueOf(key);
          if (value !== null) expect(spellings).toContain(value);
        }
      }),
    );
  });

  it.each([
    ["http://cdn.example.com/image/a", "another scheme"],
    ["https://cdn.example.comimage/a", "no slash after the host"],
    ["image/a", "no URL at all"],
    [`${CDN}image/a?w=1`, "a query string"],
    [`${CDN}image/a#top`, "a fragment"],
    [`${CDN}image/%zz`, "a malformed escape"],
    [`${CDN}image/50%`, "a lone percent sign"],
    [`${CDN}image/%e2%82`, "an escape that is no UTF-8"],
    [`${CDN}image/%2e`, "an unnecessary escape"],
    [`${CDN}image%2Fa`, "an escaped slash"],
    [`${CDN}image/é%20`, "half encoded"],
    [`${CDN}image/%c3%a9`, "escapes in lower case"],
  ])("%s is refused: %s", (value) => {
    expect(keyOfValue(CDN, value)).toBeNull();
  });
});
