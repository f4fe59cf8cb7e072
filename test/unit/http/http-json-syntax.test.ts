import { assert, constant, integer, json, oneof, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFaultIndex, placeOf } from "../../../src/domain/json-syntax.ts";

const isJson = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("jsonFaultIndex", () => {
  it.each([
    ["", 0],
    ["  ", 2],
    ["{", 1],
    ["[1,]", 3],
    ["[,1]", 1],
    ['{"a":1,}', 7],
    ["{a:1}", 1],
    ['{"a" 1}', 5],
    ["[1 2]", 3],
    ["[1}", 2],
    ["]", 0],
    ["1,2", 1],
    ["01", 1],
    ["1.", 1],
    ["'a'", 0],
    ['"a\nb"', 0],
    ['"\\x"', 0],
    ["nul", 0],
    ["truefalse", 4],
    ["NaN", 0],
    ["\u00a0[]", 0],
  ])("finds the fault of %j at %i", (text, index) => {
    expect(jsonFaultIndex(text)).toBe(index);
  });

  it("agrees with JSON.parse on what is JSON, also after one character was changed", () => {
    const mutated = tuple(json(), integer({ min: 0, max: 200 }), oneof(string(), constant(""))).map(
      ([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1),
    );
    void assert(
      property(oneof(json(), mutated), (text) => (jsonFaultIndex(text) === null) === isJson(text)),
      { numRuns: 500 },
    );
  });

  it("takes a long body in its stride", () => {
    const long = `{"a":"${"x".repeat(1_000_000)}", oops}`;
    expect(jsonFaultIndex(long)).toBe(long.length - 5);
    expect(jsonFaultIndex("[".repeat(500_000))).toBe(500_000);
    expect(jsonFaultIndex(`"${"\\n".repeat(500_000)}`)).toBe(0);
  });
});

it("placeOf counts lines and columns from one", () => {
  expect(placeOf("ab\ncd", 0)).toBe("line 1, column 1");
  expect(placeOf("ab\ncd", 4)).toBe("line 2, column 2");
});
