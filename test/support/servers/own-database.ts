/** A MariaDB database of a test's or a file's own, and a connection to it as the application has one. */

import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import { createDatabase, type TestDatabase } from "./mariadb.ts";

/** The database of the tests that run. */
export let database: TestDatabase;
/** The application's connection to it. */
export let app: Connection;

async function open(): Promise<void> {
  database = await createDatabase(inject("mariadbUrl"));
  app = await createConnection(database.url);
}

async function close(): Promise<void> {
  await app?.end();
  await database?.drop();
}

/** One `database` for all tests of a file. */
export function databaseForAll(): void {
  beforeAll(open);
  afterAll(close);
}

/** A `database` for each test of a file. */
export function databaseForEach(): void {
  beforeEach(open);
  afterEach(close);
}
