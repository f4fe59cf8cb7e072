/** Random values and neighbours, looked at and rewritten by range where that is thought possible: as exact strings say. */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { BY_RANGE, listen } from "./reference-table-mariadb-sent.ts";
import { CHANGE, setUpMariadb } from "./reference-table-mariadb-setting.ts";

// A machine that is busy with other tests must not make statements smaller.
const mariadb = setUpMariadb(10_000);
const { reference, create, pathsOf } = mariadb;
afterEach(() => void vi.restoreAllMocks());

const RUNS = 25;
const ordinary = fc.constantFrom(..."abyz019-./");
const strange = fc.constantFrom(..."AZ _~!éßæ", "\u0301", "\\", "'", "%");
const tail = fc
  .array(fc.oneof({ weight: 30, arbitrary: ordinary }, strange), { minLength: 1, maxLength: 5 })
  .map((parts) => `image/${parts.join("")}`);

describe.each(["utf8mb4_general_ci", "utf8mb4_unicode_520_nopad_ci", "utf8mb4_bin"])("in %s", (collation) => {
  test("the same rows as by list, and changed exactly", async () => {
    const table = `model_${collation}`;
    await create(table, `path VARCHAR(100) CHARACTER SET utf8mb4 COLLATE ${collation}, KEY (path)`);
    const sent = listen();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(tail, { minLength: 30, maxLength: 90 }),
        fc.array(tail, { maxLength: 6 }),
        fc.constantFrom("by code", "ignoring case"),
        async (wanted, others, how) => {
          const folded = (value: string) => (how === "by code" ? value : value.toLowerCase());
          const values = wanted.sort((a, b) => (folded(a) < folded(b) ? -1 : 1));
          // Some values have no row, some have two.
          const stored = [...values.filter((_, at) => at % 7 !== 3), ...values.slice(0, 2), ...others];
          await mariadb.admin.query(`TRUNCATE ${table}`);
          await mariadb.admin.query(`INSERT INTO ${table} (path) VALUES ?`, [stored.map((path) => [path])]);
          const { images } = reference(table);
          const has = new Set(values);
          const held = stored.filter((path) => has.has(path)).sort();
          expect((await images.findRowsToRewrite(values)).map(({ value }) => value).sort()).toEqual(held);
          const chosen = values.filter((_, at) => at % 9 !== 5);
          const isChosen = new Set(chosen);
          const { rows } = await images.rewrite(chosen, CHANGE);
          expect(rows).toBe(stored.filter((path) => isChosen.has(path)).length);
          expect(await pathsOf(table)).toEqual(
            stored.map((path) => (isChosen.has(path) ? path.replace("image/", "avatar/") : path)),
          );
        },
      ),
      { numRuns: RUNS },
    );
    // Otherwise nothing of ranges was tried.
    expect(sent.selects().filter((sql) => BY_RANGE.test(sql)).length).toBeGreaterThan(RUNS / 2);
    expect(sent.updates().filter((sql) => BY_RANGE.test(sql)).length).toBeGreaterThan(RUNS / 5);
  });
});
