/** Byte order of keys against `Buffer.compare`, and starting points that skip no key. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commonPrefix, compareKeys, justBefore } from "../../../src/domain/keys/key-order.ts";

/** Well-formed strings, rich in what UTF-16 orders differently: surrogate pairs and U+E000–U+FFFF. */
const key = fc.string({
  unit: fc.oneof(
    fc.constantFrom("a", "b", "~", "!", " ", "/", "\x7f", "\x01", "\u00e9", "\ud7ff", "\ue000", "\uffff"),
    fc.constantFrom("\u{10000}", "\u{1f600}", "\u{10ffff}"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});
const bytes = (text: string) => Buffer.from(text, "utf8");

describe("comparing keys", () => {
  it("agrees with comparing their bytes", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(bytes(a), bytes(b)));
      }),
      { numRuns: 3000 },
    );
  });

  it("puts an emoji above U+FFFE, where UTF-16 has it below", () => {
    expect("😀" < "\ufffe").toBe(true);
    expect(compareKeys("😀", "\ufffe")).toBeGreaterThan(0);
    expect(compareKeys("\ue000", "\ud7ff")).toBeGreaterThan(0);
    expect(compareKeys("a", "a")).toBe(0);
    expect(compareKeys("a", "a\x00")).toBeLessThan(0);
  });
});

describe("the string just before a key", () => {
  it("is strictly below it, well-formed, and nothing from the key on is lost by listing after it", () => {
    fc.assert(
      fc.property(key, key, (wanted, other) => {
        const before = justBefore(wanted);
        expect(before.isWellFormed()).toBe(true);
        if (wanted !== "") expect(Buffer.compare(bytes(before), bytes(wanted))).toBe(-1);
        if (Buffer.compare(bytes(other), bytes(wanted)) >= 0 && other !== "") {
          expect(compareKeys(other, before)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["", ""],
    ["b", "a~"],
    ["x/a", "x/`~"],
    ["!", ""],
    ["a ", "a"],
    ["a😀", "a"],
    ["a\x7f", "a"],
    ["aé", "a"],
  ])("of %j is %j", (wanted, before) => {
    expect(justBefore(wanted)).toBe(before);
  });
});

describe("the common prefix", () => {
  it("begins every key, cannot be longer, and never cuts a character", () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 5 }), (keys) => {
        const prefix = commonPrefix(keys);
        expect(prefix.isWellFormed()).toBe(true);
        for (const one of keys) expect(one.startsWith(prefix)).toBe(true);
        const next = [...(keys[0] ?? "").slice(prefix.length)][0];
        if (next !== undefined) expect(keys.every((one) => one.startsWith(prefix + next))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it("of nothing is empty, and of emojis that share a half is not that half", () => {
    expect(commonPrefix([])).toBe("");
    expect(commonPrefix(["a😀", "a😁"])).toBe("a");
  });
});
