/** Passwords of every kind reach a real server, and TLS that was asked for is never left out. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openLedger } from "../../src/stores/ledger/open-ledger.ts";
import { openConnections } from "../../src/stores/open-connections.ts";
import { app, database, databaseForAll } from "../support/servers/own-database.ts";
import { addressOf } from "./reference-table/reference-table-mariadb-setting.ts";
import { specOf } from "./reference-table/reference-table-workshop.ts";

const ACCOUNT = "odd_password";
const directory = mkdtempSync(join(tmpdir(), "tranship-address-"));
const variable = (name: string) => `${"$"}{${name}}`;

databaseForAll();
beforeAll(async () => {
  await app.query("CREATE TABLE images (id INT PRIMARY KEY, path VARCHAR(100), KEY (path))");
  await app.query("INSERT INTO images VALUES (1, 'image/a')");
});
afterAll(async () => {
  await app.query(`DROP USER IF EXISTS ${ACCOUNT}@'%'`);
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
      await app.query(`CREATE OR REPLACE USER ${ACCOUNT}@'%' IDENTIFIED BY ${app.escape(password)}`);
      await app.query(`GRANT SELECT, UPDATE ON ${database.name}.images TO ${ACCOUNT}@'%'`);
      const { host, port } = addressOf(database.url);
      const url = `mysql://${ACCOUNT}:${variable("PW")}@${host}:${port}/${database.name}`;
      const server = { host, port, user: ACCOUNT, password: variable("PW"), database: database.name };
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
    const connections = openConnections({ stores: {}, databases: { app: `${database.url}?tls=true` } });
    await expect(connections.reference(specOf("images"), {}).ping()).rejects.toThrow(/secure connection/);
    await connections.close();
  });

  test("nor is the ledger", async () => {
    await expect(openLedger(`${database.url}?tls=true`)).rejects.toMatchObject({
      code: "ledger_unavailable",
    });
    const [tables] = await app.query("SHOW TABLES LIKE 'tranship%'");
    expect(tables).toEqual([]);
  });
});
