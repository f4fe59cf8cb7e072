/** What the reference table does in SQLite beyond the contract: index use, a busy file, a file that is not there. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import { type Database, openDatabase } from "../../../src/stores/sql/open-database.ts";
import {
  findRowsStatement,
  pageStatement,
  rewriteStatement,
  type SqliteStatement,
} from "../../../src/stores/sql/sqlite/sqlite-statements.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

const CHANGE = { from: "image/", to: "avatar/" };

let directory: string;
let file: string;
let admin: Sqlite.Database;
let database: Database;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tranship-sqlite-"));
  file = join(directory, "app.db");
  admin = new Sqlite(file);
  database = openDatabase(NAME, `sqlite:${file}`);
});

afterEach(async () => {
  await database.close();
  admin.close();
  rmSync(directory, { recursive: true });
});

function reference(table: string, more: Partial<ReferenceSpec> = {}) {
  return database.reference(specOf(table, more), {});
}

async function failureOf(work: Promise<unknown>): Promise<DomainError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DomainError)) throw new Error(`a DomainError was expected, got ${String(error)}`);
  return error;
}

test("every statement searches an index", () => {
  for (const collation of ["BINARY", "NOCASE"]) {
    admin.exec(
      `DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT COLLATE ${collation}); CREATE INDEX p ON t(path)`,
    );
    const plan = { spec: specOf("t"), keyIsBlob: false, columnIsIndexed: true, hasTriggers: false };
    const steps = ({ sql, parameters }: SqliteStatement) =>
      admin
        .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map(({ detail }) => detail);
    expect(steps(findRowsStatement(plan, ["image/a"]))[0]).toMatch(/^SEARCH r USING (COVERING )?INDEX p/);
    expect(steps(rewriteStatement(plan, ["image/a"], CHANGE))[0]).toMatch(
      /^SEARCH r USING (COVERING )?INDEX p/,
    );
    const page = steps(pageStatement(plan, "7", "image/", 10));
    expect(page.filter((step) => /^(SEARCH|SCAN) [rd] /.test(step))).toEqual([
      "SEARCH r USING INTEGER PRIMARY KEY (rowid>?)",
      "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
      "SEARCH d USING COVERING INDEX p (path=? AND rowid<?)",
    ]);
    const unindexed = pageStatement(
      { ...plan, columnIsIndexed: false, hasTriggers: false },
      "7",
      "image/",
      10,
    );
    expect(steps(unindexed)).toEqual(["SEARCH r USING INTEGER PRIMARY KEY (rowid>?)"]);
  }
});

test("a busy file is unavailable after a few tries, and free again afterwards", async () => {
  admin.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT); INSERT INTO t VALUES (1, 'image/a')");
  const images = reference("t");
  admin.exec("BEGIN IMMEDIATE");
  expect((await images.findRows(["image/a"])).length).toBe(1);
  expect((await failureOf(images.rewrite(["image/a"], CHANGE))).code).toBe("database_unavailable");
  admin.exec("COMMIT");
  expect(await images.rewrite(["image/a"], CHANGE)).toEqual({ rows: 1, failures: [] });
});

test("values with NUL are exact, and nothing behind the NUL is lost", async () => {
  admin.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT)");
  const paths = ["image/a\0b", "image/a", "image/a\0c"];
  for (const path of paths) admin.prepare("INSERT INTO t (path) VALUES (?)").run(path);
  const images = reference("t");
  expect(await images.findRows(["image/a\0b"])).toEqual([{ id: "1", value: "image/a\0b" }]);
  expect((await images.rewrite(["image/a\0b", "image/a"], CHANGE)).rows).toBe(2);
  const stored = admin.prepare("SELECT CAST(path AS BLOB) FROM t ORDER BY id").pluck().all() as Buffer[];
  expect(stored.map(String)).toEqual(["avatar/a\0b", "avatar/a", "image/a\0c"]);
  admin.exec("DELETE FROM t; CREATE INDEX p ON t(path COLLATE NOCASE); CREATE INDEX q ON t(path)");
  for (const path of [...paths, ...paths]) admin.prepare("INSERT INTO t (path) VALUES (?)").run(path);
  expect((await reference("t").page(null, "image/", 9)).map(({ value }) => value)).toEqual(paths);
});

test("a CHECK, a foreign key and a trigger fail the value alone", async () => {
  admin.exec(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT CHECK (length(path) < 9));
    INSERT INTO t VALUES (1, 'image/a'), (2, 'image/b'), (3, 'image/cc');
    CREATE TRIGGER no BEFORE UPDATE ON t WHEN NEW.path = 'avatar/b' BEGIN SELECT RAISE(ABORT, 'not this one'); END;
  `);
  const { rows, failures } = await reference("t").rewrite(["image/a", "image/b", "image/cc"], CHANGE);
  expect([rows, failures.map(({ value, code }) => `${value} ${code}`)]).toEqual([
    1,
    ["image/b row_not_updated", "image/cc row_not_updated"],
  ]);
  expect((await reference("t").inspect()).triggers).toEqual(["no"]);
});

test("text, blob, huge and mixed keys page in their own order", async () => {
  const page = async (type: string, values: readonly unknown[]) => {
    admin.exec(`DROP TABLE IF EXISTS t; CREATE TABLE t (k ${type} NOT NULL PRIMARY KEY, path TEXT)`);
    admin.exec("CREATE INDEX p ON t(path)");
    for (const [i, value] of values.entries())
      admin.prepare("INSERT INTO t VALUES (?, ?)").run(value, `image/${i}`);
    const images = reference("t", { key: "k" });
    const seen: string[] = [];
    for (let rows = await images.page(null, "image/", 1); rows.length === 1; ) {
      seen.push(rows[0]!.id);
      rows = await images.page(rows[0]!.id, "image/", 1);
    }
    expect(await images.existing([...seen, "nonsense"])).toEqual(new Set(seen));
    // When all hold one value, the first is the first in the key's own order.
    admin.exec("UPDATE t SET path = 'image/a'");
    for (const id of seen) {
      expect(await images.page(null, "image/", 10)).toEqual([{ id, value: "image/a" }]);
      expect(await images.page(id, "image/", 10)).toEqual([]);
      admin.exec("DELETE FROM t WHERE k = (SELECT min(k) FROM t)");
    }
    return seen;
  };
  expect(await page("INTEGER", [9007199254740993n, 10n, 9n, -1n])).toEqual([
    "-1",
    "9",
    "10",
    "9007199254740993",
  ]);
  expect(await page("VARCHAR(36) COLLATE NOCASE", ["b", "A", "1e3", "B2", "10"])).toEqual([
    "10",
    "1e3",
    "A",
    "b",
    "B2",
  ]);
  expect(await page("BINARY(2)", [Buffer.from([0, 39]), Buffer.from([255, 0])])).toEqual(["0027", "FF00"]);
});

test("the file is neither created nor reconfigured; what cannot be opened is refused by name", async () => {
  admin.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT)");
  await reference("t").ping();
  await reference("t").findRows(["x"]);
  expect(admin.pragma("journal_mode", { simple: true })).toBe("delete");
  for (const path of [join(directory, "absent.db"), join(directory, "no/such/dir.db")]) {
    const absent = openDatabase("other", `sqlite:${path}`);
    const error = await failureOf(absent.reference(specOf("t"), {}).ping());
    expect(`${error.code} ${error.message}`).toMatch(/^database_refused database "other"/);
    await absent.close();
  }
  writeFileSync(join(directory, "text.db"), "not a database at all, not even a little".repeat(50));
  const text = openDatabase("other", `sqlite:${join(directory, "text.db")}`);
  expect((await failureOf(text.reference(specOf("t"), {}).ping())).code).toBe("database_refused");
  expect(() => openDatabase("other", "sqlite:")).toThrow(/file name/);
});

test("statements are counted in SQLite too, a thousand ids in one", async () => {
  admin.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT); CREATE INDEX p ON t(path)");
  const paths = Array.from({ length: 40_000 }, (_, i) => `image/${i}`);
  admin.transaction(() => {
    for (const path of paths) admin.prepare("INSERT INTO t (path) VALUES (?)").run(path);
  })();
  const statements: Record<string, number> = {};
  const images = database.reference(specOf("t"), statements);
  expect((await images.findRows(paths)).length).toBe(40_000);
  expect(statements).toEqual({ [NAME]: 4 });
  expect((await images.rewrite(paths.slice(0, 1000), CHANGE)).rows).toBe(1000);
  expect(statements).toEqual({ [NAME]: 5 });
});

test("thousands of rows that name one value: all rewritten, named, and looked up once a page", async () => {
  admin.exec(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT COLLATE NOCASE, tenant INT); CREATE INDEX p ON t(path);
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
    INSERT INTO t SELECT i, iif(i > 45000, 'image/new.png', 'image/default.png'), i > 44000 FROM n`);
  const images = reference("t", { where: { tenant: 1 } });
  const begun = performance.now();
  expect(await images.page("44001", "image/", 900)).toEqual([{ id: "45001", value: "image/new.png" }]);
  expect(await images.page(null, "image/", 900)).toEqual([
    { id: "44001", value: "image/default.png" },
    { id: "45001", value: "image/new.png" },
  ]);
  // 0.1 s where it was measured; 9 s for a page of rows that each walk past those outside where.
  expect(performance.now() - begun).toBeLessThan(2000);
  const everyone = reference("t");
  expect((await everyone.findRows(["image/new.png"])).length).toBe(5000);
  expect(await everyone.rewrite(["image/new.png"], CHANGE)).toEqual({ rows: 5000, failures: [] });
  expect((await everyone.findRows(["image/new.png", "avatar/new.png"])).length).toBe(5000);
});

test("without an index every row is given: which is the first of its value cannot be looked up", async () => {
  admin.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, path TEXT)");
  for (const path of ["image/a", "image/b", "image/a"])
    admin.prepare("INSERT INTO t (path) VALUES (?)").run(path);
  expect((await reference("t").page(null, "image/", 10)).length).toBe(3);
  admin.exec("CREATE INDEX p ON t(path)");
  expect((await reference("t").page(null, "image/", 10)).map(({ id }) => id)).toEqual(["1", "2"]);
});
