/** What is refused before a statement is built. */
import { expect, test } from "vitest";
import { assertRewritable } from "../../../src/stores/sql/reference-rules.ts";

test("a value outside the old prefix is a fault of the caller", () => {
  const change = { from: "image/", to: "avatar/" };
  expect(() => assertRewritable(["image/a", "other/a"], change)).toThrow(RangeError);
  expect(() => assertRewritable(["image/a", "image/"], change)).not.toThrow();
});
