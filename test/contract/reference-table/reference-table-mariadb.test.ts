/** What the reference table does in MariaDB beyond the contract: index use, locks, refusals, lost connections. */
import type { RowDataPacket } from "mysql2/promise";
import { describe, expect, test } from "vitest";
import { hasCode } from "../../../src/domain/errors.ts";
import { MariadbSessions } from "../../../src/stores/sql/mariadb/mariadb-sessions.ts";
import {
  addressOf,
  CHANGE,
  failureOf,
  many,
  onMysql,
  setUpMariadb,
} from "./reference-table-mariadb-setting.ts";
import { NAME } from "./reference-table-workshop.ts";

const mariadb = setUpMariadb();
const { reference, create, pathsOf } = mariadb;

describe("what the row does not take", () => {
  test("an over-long value is an exception, nothing is cut short, the rest is applied", async () => {
    await create("short", "path VARCHAR(10), KEY (path)", ["image/abc", "image/abcd", "image/é"]);
    const values = ["image/abc", "image/abcd", "image/é"];
    expect(await reference("short").images.rewrite(values, CHANGE)).toMatchObject({
      rows: 2,
      failures: [{ value: "image/abcd", code: "row_value_too_long" }],
    });
    expect(await pathsOf("short")).toEqual(["avatar/abc", "image/abcd", "avatar/é"]);
  });

  test("every session is strict and understands our text, whatever the server's own mode", async () => {
    const sessions = new MariadbSessions(NAME, addressOf(mariadb.own.url), 3);
    const isolation = onMysql ? "@@transaction_isolation" : "@@tx_isolation";
    const read = `SELECT @@sql_mode, ${isolation}, @@innodb_lock_wait_timeout, @@autocommit, @@time_zone`;
    expect(await sessions.select(read, () => {})).toEqual([
      ["STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", "READ-COMMITTED", "3", "1", "SYSTEM"],
    ]);
    await sessions.close();
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
    await create("tiny", "path TINYTEXT CHARACTER SET latin1, KEY (path(191))", [
      "image/a",
      `image/${"x".repeat(249)}`,
    ]);
    await create("checked", "path VARCHAR(50) CHECK (path <> 'avatar/1'), KEY (path)", many(3));
    await create("parent", "path VARCHAR(50), UNIQUE (path)", ["image/0", "image/1", "avatar/1"]);
    await create("child", "path VARCHAR(50), FOREIGN KEY (path) REFERENCES parent (path)", [
      "image/0",
      "image/1",
    ]);
    await create("guarded", "path VARCHAR(50), KEY (path)", many(3));
    await mariadb.admin.query(
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
  await mariadb.admin.query("INSERT INTO stamped (path, u, d) VALUES ?", [
    [
      ["image/a", old, old],
      ["image/b", null, null],
    ],
  ]);
  const stamps = async () => {
    const [rows] = await mariadb.admin.query<RowDataPacket[]>(
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
    ["amount", "DECIMAL(30,2)", ["-1.50", "2.00", "12345678901234567890.25"]],
  ];
  // A type of MariaDB's own.
  const UUIDS = ["00000000-0000-0000-0000-000000000001", "123e4567-e89b-12d3-a456-426655440000"];
  const keys = onMysql ? KEYS : [...KEYS, ["uuid", "UUID", UUIDS] as const];

  test.each(keys)("%s", async (name, type, ids) => {
    await mariadb.admin.query(
      `CREATE TABLE keyed_${name} (k ${type} PRIMARY KEY, path VARCHAR(50), KEY (path))`,
    );
    const cell = (id: string) => (name === "hex" ? Buffer.from(id, "hex") : id);
    for (const id of ids) {
      await mariadb.admin.query(`INSERT INTO keyed_${name} VALUES (?, ?)`, [cell(id), `image/${id}`]);
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
    // When all hold one value, the first is the first in the key's own order.
    await mariadb.admin.query(`UPDATE keyed_${name} SET path = 'image/a'`);
    for (const id of seen) {
      expect(await images.page(null, "image/", 10)).toEqual([{ id, value: "image/a" }]);
      expect(await images.page(id, "image/", 10)).toEqual([]);
      await mariadb.admin.query(`DELETE FROM keyed_${name} WHERE k = ?`, [cell(id)]);
    }
  });

  test("a key that is not unique, or of a type that cannot page, is refused", async () => {
    await create("loosely", "path VARCHAR(50), n INT NOT NULL, r DOUBLE NOT NULL UNIQUE, KEY (n)");
    const refusal = async (key: string) => failureOf(reference("loosely", { key }).images.page(null, "", 10));
    expect(hasCode(await refusal("n"), "database_refused")).toBe(true);
    expect((await refusal("r")).message).toContain("double");
  });
});
