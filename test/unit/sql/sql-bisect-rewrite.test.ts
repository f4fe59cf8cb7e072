/** Narrowing a failing bulk rewrite, against a database that is a function. */
import { describe, expect, test } from "vitest";
import { hasCode } from "../../../src/domain/errors.ts";
import { inSafeOrder } from "../../../src/domain/rewrite-order.ts";
import { bisectRewrite, type StatementFailure } from "../../../src/stores/sql/bisect-rewrite.ts";

const many = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);
const taken: StatementFailure = { kind: "row", code: "row_conflict", message: "taken" };
const changed = (rows: number) => ({ rows, failures: [] });
const locked: StatementFailure = { kind: "contention", message: "locked", cause: null };

describe("bisectRewrite", () => {
  test("finds the values to blame in about 2·log2(n) statements each", async () => {
    let statements = 0;
    const done: string[] = [];
    const result = await bisectRewrite([many(1000)], async (values) => {
      statements += 1;
      if (values.includes("v17") || values.includes("v900")) return taken;
      done.push(...values);
      return changed(values.length);
    });
    expect(result.rows).toBe(998);
    expect(result.failures.map(({ value }) => value)).toEqual(["v17", "v900"]);
    expect(new Set(done).size).toBe(998);
    expect(done.length).toBe(998);
    expect(statements).toBeLessThan(45);
  });

  test("free values go before locked ones, and a value locked for good ends as a failure", async () => {
    const order: string[] = [];
    const result = await bisectRewrite([many(8)], async (values) => {
      if (values.includes("v2")) return locked;
      order.push(...values);
      return changed(values.length);
    });
    expect(result).toEqual({
      rows: 7,
      failures: [{ value: "v2", code: "row_not_updated", message: "locked" }],
    });
    expect(order.slice(0, 4)).toEqual(["v4", "v5", "v6", "v7"]);
  });

  test("a passing deadlock is repeated whole", async () => {
    const sizes: number[] = [];
    const result = await bisectRewrite([many(8)], async (values) => {
      sizes.push(values.length);
      return sizes.length === 1 ? locked : changed(values.length);
    });
    expect([result.rows, sizes]).toEqual([8, [8, 8]]);
  });

  test("rows changed before a setback in the same attempt count, and as a success", async () => {
    let attempts = 0;
    const result = await bisectRewrite([["v0"]], async () => {
      attempts += 1;
      return attempts === 1 ? { ...locked, rows: 4000 } : changed(1000);
    });
    expect(result).toEqual({ rows: 5000, failures: [] });
    const failing = await bisectRewrite([["v0"], ["v1"]], async ([value]) =>
      value === "v0" ? { ...taken, rows: 2000 } : changed(1),
    );
    expect(failing).toEqual({
      rows: 2001,
      failures: [{ value: "v0", code: "row_conflict", message: "taken" }],
    });
    // Fifteen waits in a row, each after some rows: the table is not called busy.
    const slow = await bisectRewrite([many(8)], async () => ({ ...locked, rows: 1 }));
    expect(slow.rows).toBe(16);
  });

  test("when every statement waits in vain the database is unavailable, after a bounded number", async () => {
    let statements = 0;
    const error = await bisectRewrite([many(1000)], async () => {
      statements += 1;
      return locked;
    }).catch((thrown: unknown) => thrown);
    expect(hasCode(error, "database_unavailable")).toBe(true);
    expect(statements).toBe(7);
  });
});

test("a value is never rewritten before the one it turns into", () => {
  expect(inSafeOrder(["a/x", "a/a/x", "a/a/a/x", "a/y", "a/y"], { from: "a/", to: "a/a/" })).toEqual([
    ["a/a/a/x", "a/y"],
    ["a/a/x"],
    ["a/x"],
  ]);
  expect(inSafeOrder(["a/a/x", "a/a/a/x"], { from: "a/a/", to: "a/" })).toEqual([["a/a/x"], ["a/a/a/x"]]);
  expect(inSafeOrder(["a/x", "a/y"], { from: "a/", to: "b/" })).toEqual([["a/x", "a/y"]]);
  expect(inSafeOrder(["a/x"], { from: "a/", to: "a/" })).toEqual([["a/x"]]);
});
