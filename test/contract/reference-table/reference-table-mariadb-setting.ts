/** What the suites of the reference table on MariaDB and MySQL share: a database of the file's own, tables in it and failures. */
import { inspect } from "node:util";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, inject } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import { type Database, openDatabase } from "../../../src/stores/sql/open-database.ts";
import { createDatabase, isMysql, type TestDatabase } from "../../support/servers/mariadb.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

/** Whether the server is MySQL. */
export const onMysql: boolean = await isMysql(inject("mariadbUrl"));

/** The prefixes that most rewrites go from and to. */
export const CHANGE = { from: "image/", to: "avatar/" };

/** What the tests of one file work with; its properties are complete once `beforeAll` has run. */
export interface MariadbSetting {
  own: TestDatabase;
  /** A connection past our own code, with all rights. */
  admin: Connection;
  /** The reference to `table` and the number of statements it has sent so far. */
  reference(table: string, more?: Partial<ReferenceSpec>): { images: ReferenceTable; count: () => number };
  /** Creates the table with an automatic id, and a row for each path. */
  create(table: string, columns: string, paths?: readonly string[]): Promise<void>;
  /** All rows' paths in the order of their ids. */
  pathsOf(table: string): Promise<string[]>;
}

/** Makes a database before the file's tests, and drops it after them; `longRewriteMs` as for {@link openDatabase}. */
export function setUpMariadb(longRewriteMs?: number): MariadbSetting {
  let database: Database;
  const setting = {
    reference(table, more = {}) {
      const statements: Record<string, number> = {};
      return {
        images: database.reference(specOf(table, more), statements),
        count: () => statements[NAME] ?? 0,
      };
    },
    async create(table, columns, paths = []) {
      await setting.admin.query(`CREATE TABLE ${table} (id INT AUTO_INCREMENT PRIMARY KEY, ${columns})`);
      if (paths.length > 0) {
        await setting.admin.query(`INSERT INTO ${table} (path) VALUES ?`, [paths.map((path) => [path])]);
      }
    },
    async pathsOf(table) {
      const [rows] = await setting.admin.query<RowDataPacket[]>(`SELECT path FROM ${table} ORDER BY id`);
      return rows.map(({ path }) => path as string);
    },
  } as MariadbSetting;
  beforeAll(async () => {
    setting.own = await createDatabase(inject("mariadbUrl"));
    setting.admin = await createConnection({ uri: setting.own.url, charset: "utf8mb4_general_ci" });
    database = openDatabase(NAME, setting.own.url, {
      lockWaitSeconds: 1,
      ...(longRewriteMs === undefined ? {} : { longRewriteMs }),
    });
  });
  afterAll(async () => {
    await database.close();
    await setting.admin.end();
    await setting.own.drop();
  });
  return setting;
}

/** The error that `work` fails with, which must be one of ours. */
export async function failureOf(work: Promise<unknown>): Promise<DomainError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DomainError)) throw new Error(`a DomainError was expected, got ${inspect(error)}`);
  return error;
}

/** So many different paths under `image/`. */
export const many = (count: number) => Array.from({ length: count }, (_, i) => `image/${i}`);

/** The parts of a server's URL, as sessions of the adapter's own want them. */
export function addressOf(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  return { host: hostname, port: Number(port), user: username, password, database, tls: false };
}
