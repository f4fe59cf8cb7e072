import { assert, constant, integer, json, oneof, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFault } from "../../src/json-fault.ts";

const isJson = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("jsonFault", () => {
  it.each([
    ["", "it ends too early, at line 1, column 1"],
    [" \n ", "it ends too early, at line 2, column 2"],
    ["{", "it ends too early, at line 1, column 2"],
    ["[1,]", "see line 1, column 4"],
    ["[,1]", "see line 1, column 2"],
    ['{"a":1,}', "see line 1, column 8"],
    ["{a:1}", "see line 1, column 2"],
    ['{"a" 1}', "see line 1, column 6"],
    ["[1 2]", "see line 1, column 4"],
    ["[1}", "see line 1, column 3"],
    ["]", "see line 1, column 1"],
    ["1,2", "see line 1, column 2"],
    ["01", "see line 1, column 2"],
    ["1.", "see line 1, column 1"],
    ["'a'", "see line 1, column 1"],
    ['{\n  "b": "a\nb"}', "see line 2, column 8"],
    ['"a\u0001b"', "see line 1, column 1"],
    ['"\\x"', "see line 1, column 1"],
    ["nul", "see line 1, column 1"],
    ["truefalse", "see line 1, column 1"],
    ["NaN", "see line 1, column 1"],
    ["\u00a0[]", "see line 1, column 1"],
    ["[1] // one", "see line 1, column 5"],
    ["/* one */ 1", "see line 1, column 1"],
  ])("of %j: %s", (text, fault) => {
    expect(jsonFault(text)).toBe(fault);
  });

  it("has a place in whatever JSON.parse refuses, and none in what it takes, also after one character was changed", () => {
    const mutated = tuple(json(), integer({ min: 0, max: 200 }), oneof(string(), constant(""))).map(
      ([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1),
    );
    const says = /^(?:see|it ends too early, at) line [1-9]\d*, column [1-9]\d*$/;
    void assert(
      property(oneof(json(), mutated), (text) =>
        isJson(text) ? jsonFault(text) === null : says.test(jsonFault(text) ?? ""),
      ),
      { numRuns: 500 },
    );
  });

  it("takes a long body in its stride", () => {
    const long = `{"a":"${"x".repeat(1_000_000)}", oops}`;
    expect(jsonFault(long)).toBe(`see line 1, column ${long.length - 4}`);
    expect(jsonFault("[".repeat(500_000))).toBe("it is nested too deeply to say where");
    expect(jsonFault(`"${"\\n".repeat(500_000)}`)).toBe("see line 1, column 1");
  });
});
