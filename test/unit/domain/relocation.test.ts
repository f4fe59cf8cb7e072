/** Mapping of keys and values, and its reverse. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Relocation } from "../../../src/domain/relocation.ts";

const prefix = fc.string({ unit: fc.constantFrom("a", "/", "%", " ", "é", "\u0000", "😀"), maxLength: 5 });

function between(from: string, to: string): Relocation {
  return new Relocation({
    source: { store: "main", bucket: "bucket-a", prefix: from },
    target: { store: "other", bucket: "bucket-b", prefix: to },
  });
}

describe("a relocation", () => {
  it.each([
    ["image/", "avatar/", "image/2024/a.jpg", "avatar/2024/a.jpg"],
    ["image/", "avatar/", "image/image/a", "avatar/image/a"],
    ["", "all/", "image/a", "all/image/a"],
    ["all/", "", "all/image/a", "image/a"],
  ])("from %j to %j takes %j to %j", (from, to, key, expected) => {
    expect(between(from, to).targetKey(key)).toBe(expected);
  });

  it("takes back what it has moved, exactly, whatever the prefixes and keys", () => {
    fc.assert(
      fc.property(prefix, prefix, fc.string({ unit: "binary" }), (from, to, rest) => {
        const there = between(from, to);
        const back = there.reversed();
        const moved = there.targetKey(from + rest);
        expect(back.holds(moved)).toBe(true);
        expect(back.targetKey(moved)).toBe(from + rest);
      }),
    );
  });

  it("holds only keys under its source, and refuses to map others", () => {
    const relocation = between("image/", "avatar/");
    expect(relocation.holds("images/a")).toBe(false);
    expect(() => relocation.targetKey("images/a")).toThrow(RangeError);
  });

  it("spells values by its own prefixes, and back by the same forms", () => {
    const there = between("image/", "avatar/");
    const [raw] = there.valueForms("https://cdn/");
    expect(raw?.change).toEqual({ from: "https://cdn/image/", to: "https://cdn/avatar/" });
    expect(there.reversed().valueForms("https://cdn/")[0]?.change).toEqual({
      from: "https://cdn/avatar/",
      to: "https://cdn/image/",
    });
  });

  it("changes no key where the prefixes are equal", () => {
    expect(between("image/", "image/").changesKeys).toBe(false);
    expect(between("image/", "avatar/").changesKeys).toBe(true);
  });
});
