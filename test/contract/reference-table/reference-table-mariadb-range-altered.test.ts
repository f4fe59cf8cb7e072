/** A table that is altered under a job that goes by ranges: every row is found all the same. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { BY_RANGE, listen, VALUES } from "./reference-table-mariadb-sent.ts";
import { CHANGE, setUpMariadb } from "./reference-table-mariadb-setting.ts";

// A machine that is busy with other tests must not make statements smaller.
const mariadb = setUpMariadb(10_000);
const { reference, create, pathsOf } = mariadb;

afterEach(() => void vi.restoreAllMocks());

describe("a table that is altered", () => {
  // In the order of a listing. By letters alone the range from Y to b is an empty one.
  const MIXED = [..."ABYZab"].flatMap((letter) =>
    Array.from({ length: 100 }, (_, n) => `image/${letter}${String(n).padStart(3, "0")}`),
  );
  test.each([
    ["in the middle of it", MIXED.slice(200, 600)],
    ["all of it", MIXED],
  ])("a collation that is changed after the look: every row is found, %s", async (where, values) => {
    const table = `altered_${where.replaceAll(" ", "_")}`;
    await create(table, "path VARCHAR(100) COLLATE utf8mb4_bin, KEY (path)", values);
    const { images } = reference(table);
    expect((await images.findRowsToRewrite(values)).length).toBe(values.length);
    await mariadb.admin.query(`ALTER TABLE ${table} MODIFY path VARCHAR(100) COLLATE utf8mb4_general_ci`);
    const sent = listen();
    expect(await images.rewrite(values, CHANGE)).toEqual({ rows: values.length, failures: [] });
    expect(sent.ways()).toMatch(/^RL/);
    const moved = values.map((value) => value.replace("image/", "avatar/"));
    expect(await pathsOf(table)).toEqual(moved);
  });

  test("a collation that is changed to and fro, and a look meanwhile: what was of no use is not tried again", async () => {
    await create("altered_twice", "path VARCHAR(100) COLLATE utf8mb4_bin, KEY (path)", MIXED);
    const { images } = reference("altered_twice");
    const alter = (collation: string) =>
      mariadb.admin.query(`ALTER TABLE altered_twice MODIFY path VARCHAR(100) COLLATE ${collation}`);
    await images.findRowsToRewrite(MIXED.slice(0, 400));
    await alter("utf8mb4_general_ci");
    const sent = listen();
    let passes = 0;
    const result = await images.rewrite(MIXED.slice(0, 400), CHANGE, async (send) => {
      passes += 1;
      if (passes === 2) {
        await alter("utf8mb4_bin");
        await images.findRowsToRewrite(MIXED);
        // Uses up what is passed over after the failure.
        await images.rewrite(MIXED.slice(400), CHANGE);
        await alter("utf8mb4_general_ci");
      }
      return send();
    });
    expect(result).toEqual({ rows: 400, failures: [] });
    expect(sent.ways()).toBe("RLL");
  });

  test("a collation that is changed before the look, which knows the table by the old one: every row is found", async () => {
    await create("altered_before", "path VARCHAR(100) COLLATE utf8mb4_bin, KEY (path)", MIXED);
    const { images } = reference("altered_before");
    await images.findRowsToRewrite(MIXED.slice(0, 1));
    await mariadb.admin.query(
      "ALTER TABLE altered_before MODIFY path VARCHAR(100) COLLATE utf8mb4_general_ci",
    );
    const sent = listen();
    expect((await images.findRowsToRewrite(MIXED)).map(({ value }) => value).sort()).toEqual(MIXED);
    expect(sent.selects().map((sql) => BY_RANGE.test(sql))).toEqual([true, false]);
    expect(await images.rewrite(MIXED, CHANGE)).toEqual({ rows: MIXED.length, failures: [] });
  });

  test.each([
    ["dropped", "DROP INDEX path"],
    ["ignored", "ALTER INDEX path IGNORED"],
  ])("an index that is %s between the look and the change: by list, without it", async (table, change) => {
    await create(table, "path VARCHAR(100), KEY path (path)", VALUES.slice(0, 100));
    const { images } = reference(table);
    await images.findRowsToRewrite(VALUES.slice(0, 100));
    await mariadb.admin.query(`ALTER TABLE ${table} ${change}`);
    const sent = listen();
    expect(await images.rewrite(VALUES.slice(0, 100), CHANGE)).toEqual({ rows: 100, failures: [] });
    expect(sent.updates().map((sql) => BY_RANGE.test(sql))).toEqual([true, false]);
    await images.findRowsToRewrite(VALUES.slice(100, 200));
    expect(sent.selects().filter((sql) => BY_RANGE.test(sql))).toEqual([]);
  });
});
