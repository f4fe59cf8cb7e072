/** Very many rows of a MariaDB table that name one value: a default picture. Every statement stays short. */
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readShape } from "../../../src/stores/sql/mariadb/mariadb-facts.ts";
import { MariadbSessions } from "../../../src/stores/sql/mariadb/mariadb-sessions.ts";
import { pageSql, planStatements } from "../../../src/stores/sql/mariadb/mariadb-statements.ts";
import { addressOf, CHANGE, setUpMariadb } from "./reference-table-mariadb-setting.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

const DEFAULT = "image/default.png";

const MOST_ROWS = 51_001;

const mariadb = setUpMariadb();
const { reference } = mariadb;

beforeAll(async () => {
  await mariadb.admin.query("CREATE TABLE numbers (seq INT PRIMARY KEY)");
  await mariadb.admin.query("INSERT INTO numbers VALUES ?", [
    Array.from({ length: MOST_ROWS }, (_, i) => [i + 1]),
  ]);
});

/** Creates the table and fills rows 1 to `rows`, their path and tenant by SQL over `seq`, the row's number. */
async function create(table: string, columns: string, rows: number, path: string, tenant = "0") {
  await mariadb.admin.query(
    `CREATE TABLE ${table} (id INT PRIMARY KEY, path VARCHAR(512) NOT NULL, tenant INT NOT NULL, ${columns}KEY path (path))`,
  );
  await mariadb.admin.query(
    `INSERT INTO ${table} (id, path, tenant) SELECT seq, ${path}, ${tenant} FROM numbers WHERE seq <= ${rows}`,
  );
  await mariadb.admin.query(`ANALYZE TABLE ${table}`);
}

describe("five thousand rows that name one value", () => {
  test("are all rewritten, by statements that change 2,000 rows at most, and still named", async () => {
    await create("five", "u DATETIME(6) ON UPDATE NOW(6), ", 5000, `'${DEFAULT}'`);
    const { images, count } = reference("five", { keepUpdatedAt: false });
    expect(await images.rewrite([DEFAULT], CHANGE)).toEqual({ rows: 5000, failures: [] });
    // The first by its value, two more rounds by key: which rows, their change, and what became of them.
    expect(count()).toBe(7);
    // The time is the statement's: one for all the rows it changed.
    const [changed] = await mariadb.admin.query<RowDataPacket[]>(
      "SELECT COUNT(*) n FROM five GROUP BY u ORDER BY u",
    );
    expect(changed.map(({ n }) => n)).toEqual([2000, 2000, 1000]);
    expect(await images.findRows([DEFAULT])).toEqual([]);
    const named = await images.findRows(["avatar/default.png"]);
    expect(new Set(named.map(({ id }) => id)).size).toBe(5000);
    expect(await images.rewrite([DEFAULT], CHANGE)).toEqual({ rows: 0, failures: [] });
  });

  test("together with others, exactly as many as one statement takes, or outside where", async () => {
    await create("mixed", "", 6000, `IF(seq <= 4000, '${DEFAULT}', CONCAT('image/', seq))`, "seq % 2");
    const values = [DEFAULT, ...Array.from({ length: 999 }, (_, i) => `image/${i + 4001}`)];
    const { images, count } = reference("mixed", { where: { tenant: 1 } });
    expect(await images.rewrite([DEFAULT], CHANGE)).toEqual({ rows: 2000, failures: [] });
    // That no more are left is a question of its own.
    expect(count()).toBe(2);
    expect(await images.rewrite(values, CHANGE)).toEqual({ rows: 500, failures: [] });
    expect(await reference("mixed").images.rewrite(values, CHANGE)).toEqual({ rows: 2499, failures: [] });
  });

  test("prefixes that are equal: set is applied once to each row, and it ends", async () => {
    await create("same", "", 5000, `'${DEFAULT}'`);
    const { images } = reference("same", { set: { tenant: 7 } });
    expect(await images.rewrite([DEFAULT], { from: "image/", to: "image/" })).toEqual({
      rows: 5000,
      failures: [],
    });
    const [rows] = await mariadb.admin.query<RowDataPacket[]>("SELECT COUNT(*) n FROM same WHERE tenant = 7");
    expect(rows[0]?.n).toBe(5000);
  });

  test("one of them cannot be changed: the value fails, and the rows changed before it are counted", async () => {
    await create("checked", "CHECK (id <> 4500 OR path LIKE 'image/%'), ", 5000, `'${DEFAULT}'`);
    expect(await reference("checked").images.rewrite([DEFAULT], CHANGE)).toMatchObject({
      rows: 4000,
      failures: [{ value: DEFAULT, code: "row_not_updated" }],
    });
    const [rows] = await mariadb.admin.query<RowDataPacket[]>(
      "SELECT COUNT(*) n FROM checked WHERE path LIKE 'a%'",
    );
    expect(rows[0]?.n).toBe(4000);
  });
});

describe("five thousand rows that name one value, and a trigger that restores it", () => {
  const withOthers = `IF(seq <= 5000, '${DEFAULT}', CONCAT('image/', seq))`;
  const values = [DEFAULT, ...Array.from({ length: 100 }, (_, i) => `image/${i + 5001}`)];

  test.each([
    ["seen", "NEW.path = OLD.path", "restored"],
    ["seen, and counts its calls", "NEW.path = OLD.path, NEW.calls = OLD.calls + 1", "counted"],
    ["later", "NEW.path = OLD.path", "late"],
    ["later, and counts its calls", "NEW.path = OLD.path, NEW.calls = OLD.calls + 1", "late_counted"],
  ])("%s: it ends, the value fails, and the other values are rewritten", async (when, assignments, table) => {
    await create(table, "calls INT NOT NULL DEFAULT 0, ", 5100, withOthers);
    const undo = `IF OLD.path = '${DEFAULT}' THEN SET ${assignments}; END IF`;
    const { images, count } = reference(table);
    if (when.startsWith("later")) await images.findRows([DEFAULT]);
    const before = count();
    await mariadb.admin.query(`CREATE TRIGGER ${table}_undo BEFORE UPDATE ON ${table} FOR EACH ROW ${undo}`);
    const { rows, failures } = await images.rewrite(values, CHANGE);
    expect(failures.map(({ value, code }) => [value, code])).toEqual([[DEFAULT, "row_not_updated"]]);
    expect(count() - before).toBeLessThan(12);
    const [left] = await mariadb.admin.query<RowDataPacket[]>(
      `SELECT COUNT(*) n FROM ${table} WHERE path LIKE 'image/%'`,
    );
    expect(left[0]?.n).toBe(5000);
    if (table !== "late_counted") expect(rows).toBe(100);
  });
});

test("a trigger that came after the table was looked at, and few rows: what it restores does not count, and fails", async () => {
  await create("few", "", 4, "CONCAT('image/', seq)");
  const { images } = reference("few");
  await images.findRows(["image/1"]);
  const undo = "IF OLD.id > 2 THEN SET NEW.path = OLD.path; END IF";
  await mariadb.admin.query(`CREATE TRIGGER few_undo BEFORE UPDATE ON few FOR EACH ROW ${undo}`);
  const { rows, failures } = await images.rewrite(["image/1", "image/2", "image/3", "image/4"], CHANGE);
  expect([rows, failures.map(({ value }) => value).sort()]).toEqual([2, ["image/3", "image/4"]]);
});

describe("fifty thousand rows that name one value", () => {
  let sessions: MariadbSessions;

  beforeAll(async () => {
    sessions = new MariadbSessions(NAME, addressOf(mariadb.own.url), 3);
    await create("single", "", 50_000, `'${DEFAULT}'`, "seq > 49000");
    const paths = `ELT(1 + (seq > 50000) + (seq > 51000), 'image/DEFAULT.png', '${DEFAULT}', 'image/b')`;
    await create("folded", "", 51_001, paths);
  });

  afterAll(() => sessions.close());

  /** Milliseconds of the page statement after row `after`: the shortest of three, as the machine may be busy. */
  async function pageTakes(table: string, after: string | null, rows: number, where = {}): Promise<number> {
    const plan = planStatements(specOf(table, { where }), await readShape(sessions, table), true);
    const times: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const begun = performance.now();
      await sessions.select(pageSql(plan, after, "image/", rows), () => {});
      times.push(performance.now() - begun);
    }
    return Math.min(...times);
  }

  test("the first is paged, and no page statement takes long, wherever it begins", async () => {
    const { images, count } = reference("single");
    expect(await images.page(null, "image/", 1000)).toEqual([{ id: "1", value: DEFAULT }]);
    expect(count()).toBeLessThan(10);
    for (const after of [null, "25000", "49000"]) {
      expect(await pageTakes("single", after, 1000)).toBeLessThan(100);
    }
    // The largest window there is: 60 ms where it was measured.
    expect(await pageTakes("single", "25000", 20_000)).toBeLessThan(300);
  });

  test("rows outside where, or of another case, before those of the page are walked through once", async () => {
    const late = { where: { tenant: 1 } };
    expect(await reference("single", late).images.page("49000", "image/", 1000)).toEqual([
      { id: "49001", value: DEFAULT },
    ]);
    expect(await reference("folded").images.page("50000", "image/", 1000)).toEqual([
      { id: "50001", value: DEFAULT },
      { id: "51001", value: "image/b" },
    ]);
    // 70 and 15 ms where they were measured; 77 s and 12 s if each of the page's rows walked.
    expect(await pageTakes("single", "49000", 1000, late.where)).toBeLessThan(500);
    expect(await pageTakes("folded", "50000", 1000)).toBeLessThan(500);
  });

  test("findRows gives some of them at least, and none of the others is left out", async () => {
    const { images, count } = reference("single");
    await mariadb.admin.query("UPDATE single SET path = CONCAT('image/', id) WHERE id > 49900");
    await mariadb.admin.query(
      `INSERT INTO single SELECT seq, '${DEFAULT}', 0 FROM numbers WHERE seq > 50000 AND seq <= 50200`,
    );
    const others = Array.from({ length: 99 }, (_, i) => `image/${i + 49_901}`);
    const named = await images.findRows([...others, DEFAULT]);
    const namedOnce = new Map(named.map(({ id, value }) => [id, value]));
    expect(namedOnce.size).toBe(named.length);
    expect(named.filter(({ value }) => value !== DEFAULT).map(({ value }) => value)).toEqual(others);
    expect(named.filter(({ value }) => value === DEFAULT).length).toBe(50_000);
    // The list is halved until the value stands alone.
    expect(count()).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(100)) + 1);
  });

  test("findRows is not misled by as many rows of another case", async () => {
    const { images } = reference("folded");
    expect((await images.findRows([DEFAULT])).length).toBe(1000);
    const both = await images.findRows([DEFAULT, "image/b", "image/Default.png"]);
    expect(both.filter(({ value }) => value === DEFAULT).length).toBe(1000);
    expect(both.filter(({ value }) => value !== DEFAULT)).toEqual([{ id: "51001", value: "image/b" }]);
  });
});
