/** What the reference table does in MariaDB beyond the contract: index use, locks, refusals, lost connections. */
import { inspect } from "node:util";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DomainError, hasCode } from "../../src/domain/errors.ts";
import type { ReferenceSpec } from "../../src/domain/job-spec.ts";
import { readShape } from "../../src/stores/sql/mariadb-facts.ts";
import { MariadbSessions } from "../../src/stores/sql/mariadb-sessions.ts";
import {
  namingSql,
  nativeLiteral,
  pageSql,
  planStatements,
  rewriteSql,
} from "../../src/stores/sql/mariadb-statements.ts";
import { type Database, openDatabase } from "../../src/stores/sql/open-database.ts";
import { createDatabase, type TestDatabase } from "../support/mariadb.ts";
import { NAME, specOf } from "./reference-table-contract.ts";

const CHANGE = { from: "image/", to: "avatar/" };

let own: TestDatabase;
let database: Database;
let admin: Connection;

beforeAll(async () => {
  own = await createDatabase(inject("mariadbUrl"));
  admin = await createConnection({ uri: own.url, charset: "utf8mb4_general_ci" });
  database = openDatabase(NAME, own.url, { lockWaitSeconds: 1 });
});

afterAll(async () => {
  await database.close();
  await admin.end();
  await own.drop();
});

function reference(table: string, more: Partial<ReferenceSpec> = {}) {
  const statements: Record<string, number> = {};
  return { images: database.reference(specOf(table, more), statements), count: () => statements[NAME] ?? 0 };
}

async function create(table: string, columns: string, paths: readonly string[] = []): Promise<void> {
  await admin.query(`CREATE TABLE ${table} (id INT AUTO_INCREMENT PRIMARY KEY, ${columns})`);
  if (paths.length > 0) {
    await admin.query(`INSERT INTO ${table} (path) VALUES ?`, [paths.map((path) => [path])]);
  }
}

async function pathsOf(table: string): Promise<string[]> {
  const [rows] = await admin.query<RowDataPacket[]>(`SELECT path FROM ${table} ORDER BY id`);
  return rows.map(({ path }) => path as string);
}

async function failureOf(work: Promise<unknown>): Promise<DomainError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DomainError)) throw new Error(`a DomainError was expected, got ${inspect(error)}`);
  return error;
}

const many = (count: number) => Array.from({ length: count }, (_, i) => `image/${i}`);

describe("at fifty thousand rows", () => {
  const paths = Array.from({ length: 50_000 }, (_, i) => `image/${(i * 7919) % 50_000}/photo-${i}.png`);
  const TYPES = {
    general_ci: "VARCHAR(512) COLLATE utf8mb4_general_ci",
    latin1: "VARCHAR(512) CHARACTER SET latin1",
    binary: "VARBINARY(512)",
    text: "TEXT COLLATE utf8mb4_unicode_ci",
  };

  test.each(Object.entries(TYPES))(
    "%s: every statement goes through an index, even with 10,000 values",
    async (name, type) => {
      const table = `large_${name}`;
      await create(table, `path ${type} NOT NULL, KEY (path${name === "text" ? "(255)" : ""})`);
      for (let i = 0; i < paths.length; i += 10_000) {
        await admin.query(`INSERT INTO ${table} (path) VALUES ?`, [
          paths.slice(i, i + 10_000).map((path) => [path]),
        ]);
      }
      // Without it the statistics may still be those of the empty table.
      await admin.query(`ANALYZE TABLE ${table}`);
      const sessions = new MariadbSessions(NAME, addressOf(own.url), 3);
      const plan = planStatements(specOf(table), await readShape(sessions, table), true);
      // On our own connection: its settings decide whether a long IN list stays a range.
      const explained = async (sql: string) => {
        const rows = await sessions.select(`EXPLAIN ${sql}`, () => {});
        return { lines: rows.length, type: rows[0]![3], key: rows[0]!.at(5) };
      };
      for (const size of [1, 1000, 10_000]) {
        const values = paths.slice(0, size);
        const byPath = {
          lines: 1,
          // Of a fifth of the table, the optimizer may as well read the whole (covering) index.
          type: expect.stringMatching(size === 1000 ? /^range$/ : /^(range|ref|index)$/),
          key: "path",
        };
        const literals = values.map((value) => nativeLiteral(plan, value));
        expect(await explained(namingSql(plan, literals, "anywhere"))).toEqual(byPath);
        expect(await explained(rewriteSql(plan, values, CHANGE))).toEqual({ ...byPath, type: "range" });
      }
      const page = await explained(pageSql(plan, "25000", "image/", 1000));
      expect(page).toEqual({ lines: 1, type: "range", key: "PRIMARY" });
      await sessions.close();

      const { images, count } = reference(table);
      await images.naming(paths.slice(0, 1));
      const begun = performance.now();
      expect((await images.rewrite(paths.slice(0, 1000), CHANGE)).rows).toBe(1000);
      // 15 to 35 ms where it was measured; the bound only tells an index from a scan for each value.
      expect(performance.now() - begun).toBeLessThan(500);
      expect((await images.naming(paths.slice(0, 10_000))).length).toBe(9000);
      expect(count()).toBe(3);
      expect((await images.rewrite(paths.slice(0, 10_000), CHANGE)).rows).toBe(9000);
      expect(count()).toBe(13);
    },
  );

  test("an index dropped meanwhile is done without", async () => {
    await create("dropped", "path VARCHAR(50), KEY p (path)", many(5));
    const { images } = reference("dropped");
    expect((await images.naming(["image/1"])).length).toBe(1);
    await admin.query("DROP INDEX p ON dropped");
    expect((await images.naming(["image/1"])).length).toBe(1);
    expect((await images.rewrite(["image/1"], CHANGE)).rows).toBe(1);
    expect((await images.inspect()).columnIsIndexed).toBe(false);
  });
});

describe("what the row does not take", () => {
  test("an over-long value is an exception, nothing is cut short, the rest is applied", async () => {
    await admin.query("SET GLOBAL sql_mode = ''");
    try {
      await create("short", "path VARCHAR(10), KEY (path)", ["image/abc", "image/abcd", "image/é"]);
      const loose = openDatabase(NAME, own.url);
      const result = await loose
        .reference(specOf("short"), {})
        .rewrite(["image/abc", "image/abcd", "image/é"], CHANGE);
      expect(result).toMatchObject({
        rows: 2,
        failures: [{ value: "image/abcd", code: "row_value_too_long" }],
      });
      expect(await pathsOf("short")).toEqual(["avatar/abc", "image/abcd", "avatar/é"]);
      await loose.close();
    } finally {
      await admin.query("SET GLOBAL sql_mode = DEFAULT");
    }
  });

  test("a whole batch of over-long values costs one statement, not a bisection", async () => {
    await create("narrow", "path VARCHAR(10), KEY (path)", many(500));
    const { images, count } = reference("narrow");
    const result = await images.rewrite([...many(500), "image/absent"], {
      from: "image/",
      to: "photographs/",
    });
    expect(result.rows).toBe(0);
    expect(result.failures.length).toBe(500);
    expect(count()).toBe(1);
  });

  test("a too long TINYTEXT, a CHECK, a foreign key, a trigger's SIGNAL each fail alone", async () => {
    await create("tiny", "path TINYTEXT, KEY (path(191))", ["image/a", `image/${"x".repeat(249)}`]);
    await create("checked", "path VARCHAR(50) CHECK (path <> 'avatar/1'), KEY (path)", many(3));
    await create("parent", "path VARCHAR(50), UNIQUE (path)", ["image/0", "image/1", "avatar/1"]);
    await create("child", "path VARCHAR(50), FOREIGN KEY (path) REFERENCES parent (path)", [
      "image/0",
      "image/1",
    ]);
    await create("guarded", "path VARCHAR(50), KEY (path)", many(3));
    await admin.query(
      "CREATE TRIGGER no BEFORE UPDATE ON guarded FOR EACH ROW IF NEW.path = 'avatar/1' THEN " +
        "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'not this one'; END IF",
    );
    const failing = async (table: string, values: readonly string[]) => {
      const { rows, failures } = await reference(table).images.rewrite(values, CHANGE);
      return [rows, ...failures.map(({ value, code }) => `${value.slice(0, 8)} ${code}`)];
    };
    expect(await failing("tiny", await pathsOf("tiny"))).toEqual([1, "image/xx row_value_too_long"]);
    expect(await failing("checked", many(3))).toEqual([2, "image/1 row_not_updated"]);
    expect(await failing("child", many(2))).toEqual([1, "image/0 row_not_updated"]);
    expect(await failing("guarded", many(3))).toEqual([2, "image/1 row_not_updated"]);
    expect((await reference("guarded").images.inspect()).triggers).toEqual(["no"]);
  });

  test("a prefix the column's character set lacks is refused row by row", async () => {
    await create("western", "path VARCHAR(50) CHARACTER SET latin1, KEY (path)", ["image/é€"]);
    const { images } = reference("western");
    expect(await images.rewrite(["image/é€", "image/😀"], { from: "image/", to: "像/" })).toMatchObject({
      rows: 0,
      failures: [{ value: "image/é€", code: "row_not_updated" }],
    });
    expect(await images.rewrite(["image/é€"], { from: "image/", to: "œ/" })).toEqual({
      rows: 1,
      failures: [],
    });
    expect(await pathsOf("western")).toEqual(["œ/é€"]);
  });
});

test("columns that update themselves are kept, or move when asked to", async () => {
  const old = "2001-02-03 04:05:06";
  const columns =
    "path VARCHAR(50), KEY (path), u TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP, d DATETIME(6) ON UPDATE NOW(6)";
  await create("stamped", columns);
  await admin.query("INSERT INTO stamped (path, u, d) VALUES ?", [
    [
      ["image/a", old, old],
      ["image/b", null, null],
    ],
  ]);
  const stamps = async () => {
    const [rows] = await admin.query<RowDataPacket[]>(
      "SELECT CAST(u AS CHAR) u, CAST(d AS CHAR) d FROM stamped ORDER BY id",
    );
    return rows.map(({ u, d }) => [u, d]);
  };
  const kept = [
    [old, `${old}.000000`],
    [null, null],
  ];
  await reference("stamped").images.rewrite(["image/a", "image/b"], CHANGE);
  expect(await pathsOf("stamped")).toEqual(["avatar/a", "avatar/b"]);
  expect(await stamps()).toEqual(kept);
  await reference("stamped", { set: { u: "2011-01-01 00:00:00" } }).images.rewrite(["avatar/a"], {
    from: "avatar/",
    to: "x/",
  });
  expect((await stamps())[0]).toEqual(["2011-01-01 00:00:00", `${old}.000000`]);
  await reference("stamped", { keepUpdatedAt: false }).images.rewrite(["x/a"], { from: "x/", to: "y/" });
  expect((await stamps())[0]!.every((stamp) => stamp! > "2020")).toBe(true);
  expect((await reference("stamped").images.inspect()).selfUpdatingColumns).toEqual(["u", "d"]);
});

describe("paging by other keys", () => {
  const KEYS: readonly (readonly [string, string, readonly string[]])[] = [
    ["big", "BIGINT UNSIGNED", ["9007199254740992", "9007199254740993", "18446744073709551615"]],
    ["negative", "BIGINT", ["-9223372036854775808", "-1", "0", "10", "9"]],
    ["folded", "VARCHAR(40) COLLATE utf8mb4_general_ci", ["a'b", "B", "b\\", "ç", "%"]],
    ["hex", "BINARY(4)", ["00000000", "00FF0000", "27275C00", "FFFFFFFF"]],
    ["uuid", "UUID", ["00000000-0000-0000-0000-000000000001", "123e4567-e89b-12d3-a456-426655440000"]],
    ["amount", "DECIMAL(30,2)", ["-1.50", "2.00", "12345678901234567890.25"]],
  ];

  test.each(KEYS)("%s", async (name, type, ids) => {
    await admin.query(`CREATE TABLE keyed_${name} (k ${type} PRIMARY KEY, path VARCHAR(50), KEY (path))`);
    for (const id of ids) {
      const cell = name === "hex" ? Buffer.from(id, "hex") : id;
      await admin.query(`INSERT INTO keyed_${name} VALUES (?, 'image/a')`, [cell]);
    }
    const { images } = reference(`keyed_${name}`, { key: "k" });
    const seen: string[] = [];
    for (
      let page = await images.page(null, "image/", 1);
      page.length === 1;
      page = await images.page(seen.at(-1)!, "image/", 1)
    ) {
      seen.push(page[0]!.id);
    }
    expect(seen.toSorted()).toEqual([...ids].sort());
    expect(await images.existing([...ids, "zz", "7"])).toEqual(new Set(ids));
  });

  test("a key that is not unique, or of a type that cannot page, is refused", async () => {
    await create("loosely", "path VARCHAR(50), n INT NOT NULL, r DOUBLE NOT NULL UNIQUE, KEY (n)");
    const refusal = async (key: string) => failureOf(reference("loosely", { key }).images.page(null, "", 10));
    expect(hasCode(await refusal("n"), "database_refused")).toBe(true);
    expect((await refusal("r")).message).toContain("double");
  });
});

describe("locks", () => {
  async function holding<Result>(sql: string, work: () => Promise<Result>): Promise<Result> {
    const other = await createConnection(own.url);
    try {
      await other.query("BEGIN");
      await other.query(sql);
      return await work();
    } finally {
      await other.query("ROLLBACK");
      await other.query("UNLOCK TABLES");
      await other.end();
    }
  }

  test("one row locked for good: all others are changed, that one becomes an exception, and it ends", async () => {
    await create("locked", "path VARCHAR(50), KEY (path)", many(8));
    const { images } = reference("locked");
    const result = await holding("SELECT * FROM locked WHERE id = 6 FOR UPDATE", () =>
      images.rewrite(many(8), CHANGE),
    );
    expect(result).toMatchObject({ rows: 7, failures: [{ value: "image/5", code: "row_not_updated" }] });
    expect((await pathsOf("locked")).filter((path) => path.startsWith("image/"))).toEqual(["image/5"]);
    expect(await images.rewrite(["image/5"], CHANGE)).toEqual({ rows: 1, failures: [] });
  });

  test("a row freed after a while is only waited for", async () => {
    await create("freed", "path VARCHAR(50), KEY (path)", many(16));
    const { images } = reference("freed");
    let running: ReturnType<typeof images.rewrite> | undefined;
    await holding("SELECT * FROM freed WHERE id = 6 FOR UPDATE", async () => {
      running = images.rewrite(many(16), CHANGE);
      await new Promise((resolve) => setTimeout(resolve, 1300));
    });
    expect(await running).toEqual({ rows: 16, failures: [] });
  });

  test("a locked table is unavailable, soon", async () => {
    await create("closed", "path VARCHAR(50), KEY (path)", many(200));
    const { images } = reference("closed");
    await images.naming(["image/1"]);
    const error = await holding("LOCK TABLES closed WRITE", () =>
      failureOf(images.rewrite(many(200), CHANGE)),
    );
    expect(error.code).toBe("database_unavailable");
    expect((await images.rewrite(many(200), CHANGE)).rows).toBe(200);
  });

  test("against writers that lock the same rows the other way round, everything is changed in the end", async () => {
    await create("fought", "path VARCHAR(50), n INT NOT NULL DEFAULT 0, KEY (path)", many(400));
    let isOver = false;
    const fight = async () => {
      const other = await createConnection(own.url);
      while (!isOver) {
        const from = Math.ceil(Math.random() * 390);
        try {
          await other.query("BEGIN");
          for (const id of [from + 10, from + 5, from])
            await other.query("UPDATE fought SET n = n + 1 WHERE id = ?", [id]);
          await other.query("COMMIT");
        } catch {
          await other.query("ROLLBACK");
        }
      }
      await other.end();
    };
    const writers = [fight(), fight(), fight()];
    const { images } = reference("fought");
    for (let round = 0; round < 5; round += 1) {
      expect(await images.rewrite(many(400), CHANGE)).toEqual({ rows: 400, failures: [] });
      const back = { from: "avatar/", to: "image/" };
      const changed = many(400).map((path) => path.replace("image/", "avatar/"));
      expect(await images.rewrite(changed, back)).toEqual({ rows: 400, failures: [] });
    }
    isOver = true;
    await Promise.all(writers);
  });
});

describe("the connection", () => {
  test("killed between and during statements: the work goes on", async () => {
    await create("killed", "path VARCHAR(50), KEY (path)", many(300));
    const { images } = reference("killed");
    let isOver = false;
    const killer = (async () => {
      while (!isOver) {
        const [rows] = await admin.query<RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        );
        for (const { id } of rows) await admin.query(`KILL ${id}`).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    })();
    for (let round = 0; round < 20; round += 1) {
      await images.rewrite(many(300), CHANGE);
      expect((await images.naming(many(300))).length).toBe(0);
      await images.rewrite(
        many(300).map((path) => path.replace("image", "avatar")),
        { from: "avatar/", to: "image/" },
      );
      expect((await images.page(null, "image/", 300)).length).toBe(300);
    }
    isOver = true;
    await killer;
    expect(await pathsOf("killed")).toEqual(many(300));
  });

  test("no server: unavailable within a few seconds", async () => {
    const url = new URL(own.url);
    url.port = "1";
    const absent = openDatabase(NAME, url.href);
    const begun = performance.now();
    expect((await failureOf(absent.reference(specOf("t"), {}).ping())).code).toBe("database_unavailable");
    expect(performance.now() - begun).toBeLessThan(3000);
    await absent.close();
  });

  test("refusals say what is wrong; the password is in no error", async () => {
    const password = "s3cr3t-Pässwort";
    const refusal = async (change: (url: URL) => void) => {
      const url = new URL(own.url);
      url.password = encodeURIComponent(password);
      change(url);
      const opened = openDatabase(NAME, url.href);
      const error = await failureOf(opened.reference(specOf("t"), {}).ping());
      await opened.close();
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cr3t|P%C3/);
      return `${error.code} ${error.message}`;
    };
    expect(await refusal(() => {})).toMatch(/^database_refused .*password is wrong.*1045/);
    expect(await refusal((url) => (url.port = "1"))).toMatch(/^database_unavailable/);
    await admin.query(`CREATE USER reader@'%' IDENTIFIED BY '${password}'`);
    await create("seen", "path VARCHAR(50), KEY (path)", many(1));
    await admin.query(`GRANT SELECT ON \`${own.name}\`.seen TO reader@'%'`);
    expect(await refusal((url) => Object.assign(url, { username: "reader", pathname: "/mysql" }))).toMatch(
      /1044/,
    );
    const url = new URL(own.url);
    Object.assign(url, { username: "reader", password: encodeURIComponent(password) });
    const reader = openDatabase(NAME, url.href);
    const denied = await failureOf(reader.reference(specOf("seen"), {}).rewrite(["image/0"], CHANGE));
    expect(`${denied.code} ${denied.message}`).toMatch(/^database_refused .*right on the table.*1142/);
    await reader.close();
    await admin.query("DROP USER reader@'%'");
    url.pathname = "/absent_database";
    url.username = new URL(own.url).username;
    url.password = new URL(own.url).password;
    const absent = openDatabase(NAME, url.href);
    expect((await failureOf(absent.reference(specOf("t"), {}).ping())).message).toMatch(/1049/);
    await absent.close();
    expect(() => openDatabase(NAME, `mysql://u:${password}@ho st/db`)).toThrow(/cannot be parsed/);
    expect(() => openDatabase(NAME, `postgres://u:${password}@host/db`)).toThrow(/must begin with/);
    expect(() => openDatabase(NAME, "mysql://u:%E0@host/db")).toThrow(/percent escape/);
  });
});

function addressOf(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port),
    user: username,
    password,
    database: pathname.slice(1),
    tls: false,
  };
}
