/** Rows of a batch that are changed in several statements: each ends where it would in one. */

import { expect, it } from "vitest";
import type { Batch } from "../../src/domain/batch.ts";
import type { PrefixChange } from "../../src/domain/key-mapping.ts";
import { Pace } from "../../src/domain/pace.ts";
import type { StageContext } from "../../src/stages/stage-context.ts";
import { updateBatch } from "../../src/stages/update.ts";
import { SleepMovedClock } from "../support/hand-clock.ts";

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
  const context = {
    spec: { source: { prefix: from }, target: { prefix: to }, references: [{ urlPrefix: null }] },
    references: [table],
    rowPace: new Pace(rowsPerSecond),
    clock: new SleepMovedClock(),
    signal: new AbortController().signal,
    databasesReady: async () => {},
    confirmLease: async () => {},
    paced: (wait: () => Promise<void>) => wait(),
  } as unknown as StageContext;
  const objects = keys.map((key, id) => ({
    key,
    rows: [{ reference: 0, id: String(id) }],
    fate: { kind: "going" },
  }));
  const count = await updateBatch(context, { objects } as unknown as Batch, false);
  return { rows, sizes, count };
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
