/** A table of MariaDB or MySQL that is altered while a job works on it: every row is found and changed all the same. */
import { expect, test } from "vitest";
import { CHANGE, onMysql, setUpMariadb } from "./reference-table-mariadb-setting.ts";

const mariadb = setUpMariadb();
const { reference, create, pathsOf } = mariadb;

/** In the order of their codes, which is another one than that of letters without case. */
const MIXED = [..."ABYZab"].flatMap((letter) =>
  Array.from({ length: 100 }, (_, n) => `image/${letter}${String(n).padStart(3, "0")}`),
);
const MOVED = MIXED.map((value) => value.replace("image/", "avatar/"));

test.each([
  ["utf8mb4_bin", "utf8mb4_general_ci"],
  ["utf8mb4_general_ci", "utf8mb4_bin"],
  ["utf8mb4_general_ci", "utf8mb4_unicode_ci"],
  [onMysql ? "utf8mb4_0900_ai_ci" : "utf8mb4_unicode_520_nopad_ci", "utf8mb4_general_ci"],
])("the column's collation, from %s to %s", async (before, after) => {
  const table = `from_${before}_to_${after}`;
  await create(table, `path VARCHAR(100) COLLATE ${before}, KEY (path)`, MIXED);
  const { images } = reference(table);
  const found = async () => (await images.findRows(MIXED)).map(({ value }) => value).sort();
  expect(await found()).toEqual(MIXED);
  await mariadb.admin.query(`ALTER TABLE ${table} MODIFY path VARCHAR(100) COLLATE ${after}`);
  expect(await found()).toEqual(MIXED);
  expect(await images.rewrite(MIXED, CHANGE)).toEqual({ rows: MIXED.length, failures: [] });
  expect(await pathsOf(table)).toEqual(MOVED);
});

test("the column's character set, which can hold values then that it could not before", async () => {
  const [plain, wide] = ["image/plain", "image/\u{1f69a}"];
  await create("widened", "path VARCHAR(100) CHARACTER SET latin1, KEY (path)", [plain]);
  const { images } = reference("widened");
  expect(await images.findRows([plain, wide])).toHaveLength(1);
  await mariadb.admin.query("ALTER TABLE widened MODIFY path VARCHAR(100) CHARACTER SET utf8mb4");
  await mariadb.admin.query("INSERT INTO widened (path) VALUES (?)", [wide]);
  expect((await images.findRows([plain, wide])).map(({ value }) => value).sort()).toEqual([plain, wide]);
  const search = { values: [wide], prefixes: [], samples: [] };
  expect(await images.matching(search)).toMatchObject([{ value: wide }]);
  expect(await images.starting(wide, 10)).toMatchObject([{ value: wide }]);
  expect(await images.rewrite([wide], CHANGE)).toEqual({ rows: 1, failures: [] });
});

test.each([
  ["dropped", "DROP INDEX path"],
  ["ignored", `ALTER INDEX path ${onMysql ? "INVISIBLE" : "IGNORED"}`],
])("the column's index is %s: done without it", async (table, change) => {
  await create(table, "path VARCHAR(100), KEY path (path)", MIXED);
  const { images } = reference(table);
  expect((await images.findRows(MIXED)).length).toBe(MIXED.length);
  await mariadb.admin.query(`ALTER TABLE ${table} ${change}`);
  expect(await images.rewrite(MIXED, CHANGE)).toEqual({ rows: MIXED.length, failures: [] });
  expect((await images.findRows(MOVED)).length).toBe(MOVED.length);
});
