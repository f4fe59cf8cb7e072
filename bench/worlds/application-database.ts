/** A throwaway MariaDB with rows that name the objects, as an application would have them. */

import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { createDatabase, startMariadb } from "../../test/support/servers/mariadb.ts";
import { SOURCE, TARGET } from "./store-process.ts";

export interface ApplicationDatabase {
  /** `mysql://…` */
  readonly url: string;
  /** The job's reference. */
  readonly reference: { readonly database: "app"; readonly table: string; key: "id"; column: "path" };
  /** Makes the table anew, a row for each of the store's objects, keys dense. */
  fill(objects: number): Promise<void>;
  /** Throws unless exactly `objects` rows name target keys, and none a source key. */
  check(objects: number): Promise<void>;
  /** `mysql://…` of an empty database for a ledger. */
  emptyLedger(): Promise<string>;
  close(): Promise<void>;
}

const TABLE = "images";

/** Starts the server; settings as in the tests: the log is handed to the kernel at every commit. */
export async function openApplicationDatabase(): Promise<ApplicationDatabase> {
  const server = await startMariadb();
  const application = await createDatabase(server.url);
  const connection = await createConnection(application.url);
  return {
    url: application.url,
    reference: { database: "app", table: TABLE, key: "id", column: "path" },
    fill: (objects) => fill(connection, objects),
    check: (objects) => check(connection, objects),
    emptyLedger: async () => (await createDatabase(server.url)).url,
    async close() {
      await connection.end();
      await server.dispose();
    },
  };
}

async function fill(connection: Connection, objects: number): Promise<void> {
  await connection.query(`DROP TABLE IF EXISTS ${TABLE}`);
  await connection.query(
    `CREATE TABLE ${TABLE} (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL,
       title VARCHAR(40) NOT NULL DEFAULT 'untitled', INDEX (path))`,
  );
  await connection.query(
    `INSERT INTO ${TABLE} (path) SELECT CONCAT(?, LPAD(seq, 9, '0')) FROM seq_0_to_${objects - 1}`,
    [SOURCE.prefix],
  );
}

async function check(connection: Connection, objects: number): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS total, COALESCE(SUM(path = CONCAT(?, LPAD(id - 1, 9, '0'))), 0) AS moved FROM ${TABLE}`,
    [TARGET.prefix],
  );
  const { total, moved } = rows[0] as RowDataPacket;
  if (Number(total) !== objects || Number(moved) !== objects) {
    throw new Error(`${moved} of ${total} rows name their new key; there should be ${objects}`);
  }
}
