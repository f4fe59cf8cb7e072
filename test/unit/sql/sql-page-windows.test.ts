/** Pages from bounded windows, over a table that is an array; and lists cut into statements. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { unlimitedStatements } from "../../../src/ports/reference-table.ts";
import { PageWindows } from "../../../src/stores/sql/page-windows.ts";
import { chunksOf } from "../../../src/stores/sql/statement-chunks.ts";

test("any table, any limit: all matching rows once, in order, and no window above its bound", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 300 }),
      fc.integer({ min: 1, max: 40 }),
      async (matches, limit) => {
        const rows = matches.map((isMatch, i) => ({ id: String(i), value: isMatch ? `v${i}` : null }));
        const windows = new PageWindows(async (after, _prefix, count) => {
          expect(count).toBeLessThanOrEqual(20_000);
          const start = after === null ? 0 : Number(after) + 1;
          return rows.slice(start, start + count);
        });
        const seen: string[] = [];
        for (let after: string | null = null; ; ) {
          const page = await windows.page(after, "v", limit, unlimitedStatements);
          seen.push(...page.map(({ id }) => id));
          if (page.length < limit) break;
          after = page.at(-1)!.id;
        }
        expect(seen).toEqual(rows.filter(({ value }) => value !== null).map(({ id }) => id));
      },
    ),
  );
});

test("a prefix with few rows does not widen the windows of another", async () => {
  const counts: number[] = [];
  const windows = new PageWindows(async (after, prefix, count) => {
    counts.push(count);
    const start = after === null ? 0 : Number(after) + 1;
    const rows = Array.from({ length: Math.min(count, 500 - start) }, (_, i) => String(start + i));
    return rows.map((id) => ({ id, value: prefix === "dense/" ? `dense/${id}` : null }));
  });
  expect(await windows.page(null, "rare/", 10, unlimitedStatements)).toEqual([]);
  expect(counts.at(-1)).toBeGreaterThan(100);
  expect(await windows.page(null, "dense/", 10, unlimitedStatements)).toHaveLength(10);
  expect(counts.at(-1)).toBe(10);
});

test("a position that stands still is an error, not an endless loop", async () => {
  const stuck = new PageWindows(async (_after, _prefix, count) =>
    Array.from({ length: count }, () => ({ id: "7", value: null })),
  );
  await expect(stuck.page(null, "v", 10, unlimitedStatements)).rejects.toThrow(/does not advance/);
});

test("lists are cut by number and by bytes, and keep every item", () => {
  expect(chunksOf([], 2, 100, Buffer.byteLength)).toEqual([]);
  expect(chunksOf(["a", "b", "c"], 2, 100, Buffer.byteLength)).toEqual([["a", "b"], ["c"]]);
  expect(chunksOf(["aaaa", "b", "cccccccccc", "d"], 9, 7, Buffer.byteLength)).toEqual([
    ["aaaa", "b"],
    ["cccccccccc"],
    ["d"],
  ]);
});
