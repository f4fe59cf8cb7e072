/** Rows that stand side by side are found by the range they fill: the same rows as by their list, whatever is between them. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../../src/stores/sql/open-database.ts";
import { BY_LIST, BY_RANGE, listen, pathOf, VALUES } from "./reference-table-mariadb-sent.ts";
import { CHANGE, setUpMariadb } from "./reference-table-mariadb-setting.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

// A machine that is busy with other tests must not make statements smaller.
const mariadb = setUpMariadb(10_000);
const { reference, create, pathsOf } = mariadb;

/** Between the first and the last of them, for one collation or another the same as one of them. */
const NEIGHBOURS = [
  "IMAGE/000500.png",
  "image/000500.PNG",
  "image/000500.png ",
  "image/000500.png\t",
  "image/000500.pnǵ",
  "image/000500.pn",
  "image/000500.png/1",
  "image/0005000.png",
  "ımage/000500.png",
];

afterEach(() => void vi.restoreAllMocks());

const COLLATIONS: Record<string, string> = {
  general_ci: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
  unicode_nopad_ci: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_nopad_ci",
  uca1400_ai_ci: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE uca1400_ai_ci",
  bin: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
  utf8mb3: "VARCHAR(100) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci",
  ucs2: "VARCHAR(100) CHARACTER SET ucs2 COLLATE ucs2_bin",
};

describe.each(Object.entries(COLLATIONS))("a column of %s", (name, type) => {
  test("exactly the rows of the values are found and changed, whatever stands between them", async () => {
    const table = `ranged_${name}`;
    await create(table, `path ${type}, KEY (path)`, [...NEIGHBOURS, ...VALUES]);
    const { images, count } = reference(table);
    const sent = listen();
    const found = await images.findRowsToRewrite(VALUES);
    expect(found.map(({ value }) => value).sort()).toEqual(VALUES);
    expect(sent.selects().filter((sql) => BY_RANGE.test(sql)).length).toBe(1);
    expect(await images.rewrite(VALUES, CHANGE)).toEqual({ rows: 1200, failures: [] });
    expect(sent.updates().length).toBe(count() - 1);
    expect(sent.updates().filter((sql) => !BY_RANGE.test(sql))).toEqual([]);
    const moved = VALUES.map((value) => value.replace("image/", "avatar/"));
    expect(await pathsOf(table)).toEqual([...NEIGHBOURS, ...moved]);
  });
});

describe("what is not known to stand side by side", () => {
  test.each([
    ["a binary column", "VARBINARY(100)"],
    ["a language's collation", "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci"],
    ["an index of its first characters", "VARCHAR(300) CHARACTER SET utf8mb4"],
  ])("%s: by its list", async (what, type) => {
    const table = what.replaceAll(/\W/g, "_");
    await create(table, `path ${type}, KEY (path${what.startsWith("an index") ? "(255)" : ""})`, VALUES);
    const { images } = reference(table);
    const sent = listen();
    expect((await images.findRowsToRewrite(VALUES)).length).toBe(1200);
    expect(await images.rewrite(VALUES, CHANGE)).toEqual({ rows: 1200, failures: [] });
    expect([...sent.selects(), ...sent.updates()].filter((sql) => BY_RANGE.test(sql))).toEqual([]);
  });

  test("without an index: by its list", async () => {
    await create("unindexed", "path VARCHAR(100)", VALUES);
    const { images } = reference("unindexed");
    const sent = listen();
    expect((await images.findRowsToRewrite(VALUES)).length).toBe(1200);
    expect(sent.selects().filter((sql) => BY_RANGE.test(sql))).toEqual([]);
  });

  test.each([
    ["without transactions, where what is given up may be half done", "ALTER TABLE $ ENGINE=Aria"],
    ["whose trigger may write elsewhere", "CREATE TRIGGER $_t BEFORE UPDATE ON $ FOR EACH ROW SET @n = 1"],
  ])("a table %s: by its list", async (what, sql) => {
    const table = what.slice(0, 7).replace(" ", "_");
    await create(table, "path VARCHAR(100), KEY (path)", VALUES);
    await mariadb.admin.query(sql.replaceAll("$", table));
    const { images } = reference(table);
    const sent = listen();
    expect((await images.findRowsToRewrite(VALUES)).length).toBe(1200);
    expect((await images.rewrite(VALUES, CHANGE)).rows).toBe(1200);
    expect([...sent.selects(), ...sent.updates()].filter((each) => BY_RANGE.test(each))).toEqual([]);
  });

  test("on a server that cannot join lists, nor keep one statement from waiting: by its list", async () => {
    await create("listed_only", "path VARCHAR(100), KEY (path)", VALUES);
    const database = openDatabase(NAME, mariadb.own.url, { plainLists: true });
    const images = database.reference(specOf("listed_only"), {});
    const sent = listen();
    try {
      expect((await images.findRowsToRewrite(VALUES)).length).toBe(1200);
      expect((await images.rewrite(VALUES, CHANGE)).rows).toBe(1200);
    } finally {
      await database.close();
    }
    expect([...sent.selects(), ...sent.updates()].filter((sql) => BY_RANGE.test(sql))).toEqual([]);
  });

  test("values far from each other: the range is left after a few rows, then tried less and less", async () => {
    await create("sparse", "path VARCHAR(100), KEY (path)");
    await mariadb.admin.query(
      "INSERT INTO sparse (path) SELECT CONCAT('image/', LPAD(seq, 6, '0'), '.png') FROM seq_0_to_119999",
    );
    const scattered = VALUES.map((_, index) => pathOf(index * 100));
    const { images, count } = reference("sparse");
    const sent = listen();
    expect((await images.findRowsToRewrite(scattered)).length).toBe(1200);
    // So many rows of the ranges at most, which hold 120,000, and then the list.
    expect(sent.selects().find((sql) => BY_RANGE.test(sql))).toMatch(/ LIMIT 1382$/);
    expect(count()).toBe(2);
    for (let more = 0; more < 10; more += 1) await images.findRowsToRewrite(scattered);
    expect(count()).toBe(2 + 10 + 3);
    expect(await images.rewrite(scattered, CHANGE)).toEqual({ rows: 1200, failures: [] });
    expect(sent.updates().filter((sql) => !BY_LIST.test(sql))).toEqual([]);
    // Once they are close together it is seen.
    for (let more = 0; more < 20; more += 1)
      await images.findRowsToRewrite(VALUES.filter((_, index) => index % 100 !== 0));
    expect(sent.selects().slice(-1)[0]).toMatch(BY_RANGE);
  });

  test("a list beside a range: values that came since, and those of another look", async () => {
    await create("mixed_ranges", "path VARCHAR(100), KEY (path)", VALUES);
    const { images } = reference("mixed_ranges");
    await images.findRowsToRewrite(VALUES);
    const late = Array.from({ length: 30 }, (_, index) => `image/zz-${index}.png`);
    await mariadb.admin.query("INSERT INTO mixed_ranges (path) VALUES ?", [late.map((path) => [path])]);
    const sent = listen();
    expect(await images.rewrite([...VALUES, ...late], CHANGE)).toEqual({ rows: 1230, failures: [] });
    expect(sent.updates().filter((sql) => / OR r\.`path` IN \(/.test(sql)).length).toBeGreaterThan(0);
  });
});

describe("a look", () => {
  test("sees rows whatever the reference's where; only those within it are changed", async () => {
    await create(
      "owned",
      "path VARCHAR(100), tenant INT NOT NULL DEFAULT 0, KEY (path)",
      VALUES.slice(0, 100),
    );
    await mariadb.admin.query("UPDATE owned SET tenant = 1 WHERE id % 2 = 0");
    const { images } = reference("owned", { where: { tenant: 1 } });
    const sent = listen();
    expect((await images.findRowsToRewrite(VALUES.slice(0, 100))).length).toBe(100);
    expect(await images.rewrite(VALUES.slice(0, 100), CHANGE)).toEqual({ rows: 50, failures: [] });
    expect([...sent.selects(), ...sent.updates()].filter((sql) => BY_RANGE.test(sql)).length).toBe(2);
    expect((await images.findRows(VALUES)).length).toBe(50);
  });

  test("before a deletion is by list, whatever is known of ranges", async () => {
    await create("listed_again", "path VARCHAR(100), KEY (path)", VALUES);
    const { images } = reference("listed_again");
    await images.findRowsToRewrite(VALUES);
    const sent = listen();
    expect((await images.findRows(VALUES)).length).toBe(1200);
    expect(sent.selects().filter((sql) => /BETWEEN/.test(sql))).toEqual([]);
  });
});
