/** Passwords of every kind reach a real server, and TLS that was asked for is never left out. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openLedger } from "../../src/stores/ledger/open-ledger.ts";
import { openConnections } from "../../src/stores/open-connections.ts";
import { createDatabase, type TestDatabase } from "../support/servers/mariadb.ts";
import { addressOf } from "./reference-table/reference-table-mariadb-setting.ts";
import { specOf } from "./reference-table/reference-table-workshop.ts";

const ACCOUNT = "odd_password";
const directory = mkdtempSync(join(tmpdir(), "tranship-address-"));
const variable = (name: string) => `${"$"}{${name}}`;
let own: TestDatabase;
let admin: Connection;

beforeAll(async () => {
  own = await createDatabase(inject("mariadbUrl"));
  admin = await createConnection(own.url);
  await admin.query("CREATE TABLE images (id INT PRIMARY KEY, path VARCHAR(100), KEY (path))");
  await admin.query("INSERT INTO images VALUES (1, 'image/a')");
});
afterAll(async () => {
  await admin.query(`DROP USER IF EXISTS ${ACCOUNT}@'%'`);
  await admin.end();
  await own.drop();
  rmSync(directory, { recursive: true, force: true });
});

function configured(databases: Readonly<Record<string, unknown>>, password: string) {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify({ databases }));
  return readConfig(path, { PW: password });
}

describe("the account's password", () => {
  test.each(["p@ss", "p/ss", "p#ss", "p?ss", "p:ss", "p%ss", "p%40ss", "p ss", "é'\"\\"])(
    "%s: lets us in, by a URL and by an object",
    async (password) => {
      await admin.query(`CREATE OR REPLACE USER ${ACCOUNT}@'%' IDENTIFIED BY ${admin.escape(password)}`);
      await admin.query(`GRANT SELECT, UPDATE ON ${own.name}.images TO ${ACCOUNT}@'%'`);
      const { host, port } = addressOf(own.url);
      const url = `mysql://${ACCOUNT}:${variable("PW")}@${host}:${port}/${own.name}`;
      const server = { host, port, user: ACCOUNT, password: variable("PW"), database: own.name };
      const connections = openConnections({
        stores: {},
        ...databasesOf(configured({ url, server }, password)),
      });
      for (const database of ["url", "server"]) {
        const images = connections.reference({ ...specOf("images"), database }, {});
        expect(await images.findRows(["image/a"])).toEqual([{ id: "1", value: "image/a" }]);
      }
      await connections.close();
    },
  );
});

const databasesOf = ({ databases }: ReturnType<typeof readConfig>) => ({ databases });

describe("TLS, where the server has none", () => {
  test("a database is not connected to in plain text", async () => {
    const connections = openConnections({ stores: {}, databases: { app: `${own.url}?tls=true` } });
    await expect(connections.reference(specOf("images"), {}).ping()).rejects.toThrow(/secure connection/);
    await connections.close();
  });

  test("nor is the ledger", async () => {
    await expect(openLedger(`${own.url}?tls=true`)).rejects.toMatchObject({ code: "ledger_unavailable" });
    const [tables] = await admin.query("SHOW TABLES LIKE 'tranship%'");
    expect(tables).toEqual([]);
  });
});
