/** Rows of a batch that are changed in several statements: the results equal those of one statement. */

import { expect, it } from "vitest";
import type { PrefixChange } from "../../../src/domain/keys/key-mapping.ts";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { Relocation } from "../../../src/domain/relocation.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import type { UpdateContext } from "../../../src/stages/stage-contexts.ts";
import { updateBatch } from "../../../src/stages/update.ts";
import { batchObject, plannedBatch } from "../../support/batches.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

/** A job with one reference, to `table`. */
function contextFor(
  table: Partial<ReferenceTable>,
  { from, to }: PrefixChange,
  rowsPerSecond: number | null,
) {
  const counted = { rows: 0 };
  const { source, target } = AVATARS;
  const context = only<UpdateContext>({
    relocation: new Relocation({ source: { ...source, prefix: from }, target: { ...target, prefix: to } }),
    references: [{ table: only<ReferenceTable>(table), urlPrefix: null }],
    rowLimit: new RateLimit(rowsPerSecond),
    clock: new VirtualClock(1_000_000, "free"),
    signal: new AbortController().signal,
    databasesReady: async () => {},
    confirmLease: async () => {},
    whileRateLimited: (wait: () => Promise<void>) => wait(),
    onRowsChanged: (_: number, rows: number) => {
      counted.rows += rows;
    },
  });
  return { context, counted };
}

/** Updates a row for each of `keys`, at most `rowsPerSecond`, and gives what the rows hold then. */
async function updated(keys: readonly string[], { from, to }: PrefixChange, rowsPerSecond: number | null) {
  const rows = [...keys];
  const sizes: number[] = [];
  const table = {
    async rewrite(values: readonly string[], change: PrefixChange) {
      sizes.push(values.length);
      let changed = 0;
      for (const [at, value] of rows.entries()) {
        if (!values.includes(value)) continue;
        rows[at] = change.to + value.slice(change.from.length);
        changed += 1;
      }
      return { rows: changed, failures: [] };
    },
  };
  const { context, counted } = contextFor(table, { from, to }, rowsPerSecond);
  const objects = keys.map((key, id) => batchObject(key, { rows: [{ reference: 0, id: String(id) }] }));
  await updateBatch(context, plannedBatch(objects), false);
  return { rows, sizes, count: counted.rows };
}

it("a row that has its new key is not changed again by the next statement, though that is another object's old key", async () => {
  const keys = ["a/x", "a/b/x", "a/b/b/x", "a/y", "a/b/y"];
  const moved = await updated(keys, { from: "a/", to: "a/b/" }, 1);
  expect(moved).toEqual({
    rows: keys.map((key) => `a/b/${key.slice(2)}`),
    sizes: [1, 1, 1, 1, 1],
    count: keys.length,
  });
});

it("rows that an attempt before has changed count, though one of their object's rows is refused now", async () => {
  // Another process changed the first row of each and was cut off; the second row of b is in the way of a unique index.
  const rows = ["new/a", "old/a", "new/b", "old/b"];
  const table: Partial<ReferenceTable> = {
    async rewrite() {
      rows[1] = "new/a";
      return { rows: 1, failures: [{ value: "old/b", code: "row_conflict", message: "taken" }] };
    },
    findRows: async (values: readonly string[]) =>
      rows.flatMap((value, id) => (values.includes(value) ? [{ id: String(id), value }] : [])),
    existing: async (ids: readonly string[]) => new Set(ids),
  };
  const { context, counted } = contextFor(table, { from: "old/", to: "new/" }, null);
  const object = (key: string, ids: readonly string[]) =>
    batchObject(key, { rows: ids.map((id) => ({ reference: 0, id })) });
  const objects = [object("old/a", ["0", "1"]), object("old/b", ["2", "3"])];
  await updateBatch(context, plannedBatch(objects), true);
  expect(counted.rows).toBe(3);
  expect(objects.map(({ outcome }) => outcome.kind)).toEqual(["pending", "exception"]);
});
