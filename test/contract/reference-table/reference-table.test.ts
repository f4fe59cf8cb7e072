/** The reference table's contract on MariaDB or MySQL in every kind of column, and on SQLite. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { createConnection } from "mysql2/promise";
import { inject } from "vitest";
import { openDatabase } from "../../../src/stores/sql/open-database.ts";
import { createDatabase, isMysql } from "../../support/servers/mariadb.ts";
import { describeReferenceTable } from "./reference-table-contract.ts";
import { NAME, type StoredRow, type Workshop } from "./reference-table-workshop.ts";

const anything = () => true;
const basicPlane = (value: string) => !/[\ud800-\udfff]/.test(value);
const ascii = (value: string) => Buffer.byteLength(value) === value.length;
const latin1 = (value: string) => [...value].every((c) => ascii(c) || (c >= "\u00a0" && c <= "\u00ff"));
const text = (collation: string) => `CHARACTER SET ${collation.split("_")[0]} COLLATE ${collation}`;

const [serverName, ownCollations] = (await isMysql(inject("mariadbUrl")))
  ? ["MySQL", ["utf8mb4_0900_ai_ci", "utf8mb4_0900_bin"]]
  : ["MariaDB", ["utf8mb4_uca1400_ai_ci", "utf8mb4_nopad_bin"]];

const COLUMNS: readonly (readonly [string, (value: string) => boolean])[] = [
  [`VARCHAR(500) ${text("utf8mb4_general_ci")}`, anything],
  [`VARCHAR(500) ${text("utf8mb4_unicode_ci")}`, anything],
  [`VARCHAR(500) ${text("utf8mb4_bin")}`, anything],
  ...ownCollations.map((collation) => [`VARCHAR(500) ${text(collation)}`, anything] as const),
  [`VARCHAR(500) ${text("utf8mb3_general_ci")}`, basicPlane],
  [`VARCHAR(500) ${text("latin1_swedish_ci")}`, latin1],
  [`VARCHAR(500) ${text("ascii_general_ci")}`, ascii],
  [`VARCHAR(500) ${text("utf16_general_ci")}`, anything],
  ["VARBINARY(1000)", anything],
  [`TEXT ${text("utf8mb4_unicode_ci")}`, anything],
];

for (const [type, waits] of COLUMNS) {
  describeReferenceTable(`${serverName}, ${type}`, () => mariadbWorkshop(type, waits));
}
for (const collation of ["BINARY", "NOCASE", "RTRIM"]) {
  describeReferenceTable(`SQLite, TEXT COLLATE ${collation}`, () => sqliteWorkshop(collation));
}

async function mariadbWorkshop(type: string, waits: (value: string) => boolean): Promise<Workshop> {
  const own = await createDatabase(inject("mariadbUrl"));
  const connection = await createConnection({ uri: own.url, charset: "utf8mb4_general_ci" });
  const database = openDatabase(NAME, own.url, { lockWaitSeconds: 1 });
  const quoted = (name: string) => `\`${name.replaceAll("`", "``")}\``;
  return {
    database,
    waits,
    createTable: async (table, { unique = false } = {}) => {
      const length = type.startsWith("TEXT") ? "(255)" : "";
      await connection.query(
        `CREATE TABLE ${quoted(table)} (id BIGINT UNSIGNED PRIMARY KEY, path ${type} NOT NULL, legacy INT, ` +
          `tenant VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, ` +
          `${unique ? "UNIQUE " : ""}KEY (path${length}))`,
      );
    },
    insert: async (table, rows) => {
      if (rows.length === 0) return;
      const cells = rows.map(({ id, path, legacy, tenant }) => [id, path, legacy, tenant]);
      await connection.query(`INSERT INTO ${quoted(table)} VALUES ?`, [cells]);
    },
    rows: async (table) => {
      const [rows] = await connection.query(
        `SELECT CAST(id AS CHAR) id, path, legacy, tenant FROM ${quoted(table)} ORDER BY ${quoted(table)}.id`,
      );
      return (rows as (Omit<StoredRow, "path"> & { path: string | Buffer })[]).map((row) => ({
        ...row,
        path: row.path.toString("utf8" as never),
      }));
    },
    run: async (sql) => {
      await connection.query(sql);
    },
    createTrigger: async (table, path) => {
      const body = `FOR EACH ROW SET NEW.path = ${path}`;
      await connection.query(
        `CREATE TRIGGER ${quoted(`${table}_path`)} BEFORE UPDATE ON ${quoted(table)} ${body}`,
      );
    },
    close: async () => {
      await database.close();
      await connection.end();
      await own.drop();
    },
  };
}

async function sqliteWorkshop(collation: string): Promise<Workshop> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-reference-"));
  const file = join(directory, "app.db");
  const connection = new Sqlite(file);
  connection.pragma("synchronous = OFF");
  const database = openDatabase(NAME, `sqlite:${file}`);
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  return {
    database,
    waits: anything,
    createTable: async (table, { unique = false } = {}) => {
      connection.exec(
        `CREATE TABLE ${quoted(table)} (id INTEGER PRIMARY KEY, path VARCHAR(500) NOT NULL COLLATE ${collation}, ` +
          `legacy INT, tenant TEXT COLLATE NOCASE); ` +
          `CREATE ${unique ? "UNIQUE " : ""}INDEX ${quoted(`${table}_path`)} ON ${quoted(table)}(path)`,
      );
    },
    insert: async (table, rows) => {
      const statement = connection.prepare(`INSERT INTO ${quoted(table)} VALUES (?, ?, ?, ?)`);
      connection.transaction(() => {
        for (const { id, path, legacy, tenant } of rows) statement.run(id, path, legacy, tenant);
      })();
    },
    rows: async (table) =>
      connection
        .prepare<[], StoredRow>(
          `SELECT CAST(id AS TEXT) id, path, legacy, tenant FROM ${quoted(table)} ORDER BY ${quoted(table)}.id`,
        )
        .all(),
    run: async (sql) => {
      connection.exec(sql);
    },
    createTrigger: async (table, path) => {
      const body = `UPDATE ${quoted(table)} SET path = ${path} WHERE id = NEW.id`;
      connection.exec(
        `CREATE TRIGGER ${quoted(`${table}_path`)} AFTER UPDATE ON ${quoted(table)} BEGIN ${body}; END`,
      );
    },
    close: async () => {
      await database.close();
      connection.close();
      rmSync(directory, { recursive: true });
    },
  };
}
