/** Where databases are: URLs that hold any password, objects beside them, files that count from the configuration's folder. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Config, readConfig } from "../../../src/config.ts";
import { DomainError } from "../../../src/domain/errors.ts";
import { readLedgerAddress } from "../../../src/stores/ledger/ledger-address.ts";
import { readMysqlAddress } from "../../../src/stores/mysql-address.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-addresses-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const variable = (name: string) => `${"$"}{${name}}`;

function read(file: unknown, env: Record<string, string> = {}) {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify(file));
  return readConfig(path, env);
}

/** The address of database `name`, taken apart. */
function addressOf({ databases }: Config, name = "app") {
  const address = databases[name];
  if (address === undefined) throw new Error("no such database");
  return readMysqlAddress(`database "${name}"`, address);
}

function refusal(work: () => unknown): DomainError {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("a refusal was expected");
}

const PASSWORDS = [
  "p@ss",
  "p/ss",
  "p#ss",
  "p?ss",
  "p:ss",
  "p%ss",
  "p%40ss",
  "p ss",
  "p\\ss",
  "p[ss]é",
  "@/#?:% ",
  "12/a@b",
];

describe("a password from the environment", () => {
  it.each(PASSWORDS)(
    "%s: reaches the database as it is, in a URL, an object, a replica and the ledger",
    (password) => {
      const url = `mysql://app:${variable("PW")}@db.internal:3307/shop`;
      const server = {
        host: "db.internal",
        port: 3307,
        user: "app",
        password: variable("PW"),
        database: "shop",
      };
      const config = read(
        { databases: { url, server }, progress: url, replicas: { url: [url, server] } },
        { PW: password },
      );
      const expected = {
        host: "db.internal",
        port: 3307,
        user: "app",
        password,
        database: "shop",
        tls: false,
      };
      expect([addressOf(config, "url"), addressOf(config, "server")]).toEqual([expected, expected]);
      const replicas = (config.replicas.url ?? []).map((replica) => readMysqlAddress("x", replica));
      expect(replicas).toEqual([expected, expected]);
      expect(readLedgerAddress(config.progress)).toMatchObject({
        host: "db.internal",
        password,
        database: "shop",
      });
    },
  );

  it.each(PASSWORDS)(
    "%s: so does user and password in one variable, and a user name of such characters",
    (secret) => {
      const whole = read({ databases: { app: `mysql://${variable("BOTH")}@h/d` } }, { BOTH: `u:${secret}` });
      expect(addressOf(whole)).toMatchObject({ user: "u", password: secret });
      const both = read(
        { databases: { app: `mysql://${variable("U")}:${variable("U")}@h/d` } },
        { U: secret },
      );
      expect(addressOf(both)).toMatchObject({ user: secret, password: secret });
    },
  );

  it("a host, a port and a database's name may come from there too", () => {
    const url = `mysql://u:p@${variable("HOST")}:${variable("PORT")}/${variable("DB")}?tls=${variable("TLS")}`;
    const parts = read({ databases: { app: url } }, { HOST: "h", PORT: "3310", DB: "a b/c", TLS: "true" });
    expect(addressOf(parts)).toMatchObject({
      ...{ host: "h", port: 3310, database: "a b/c", tls: true },
    });
    const server = { host: "h", port: variable("PORT"), user: "u", database: "d", tls: true };
    const object = read({ databases: { app: server } }, { PORT: "3311" });
    expect(addressOf(object)).toMatchObject({ port: 3311, password: "", tls: true });
  });

  it.each(PASSWORDS.filter((password) => /[/#?]/.test(password)))(
    "%s: in a URL that is a variable as a whole, it is refused without any piece of it",
    (password) => {
      const config = read({ databases: { app: variable("URL") } }, { URL: `mysql://u:${password}@h/d` });
      const error = refusal(() => addressOf(config));
      expect(error.code).toBe("config_invalid");
      expect(error.message).toMatch(/^database "app": .*percent-encode/);
      // Word for word what another one is told: nothing of it is in there.
      const other = refusal(() => readMysqlAddress('database "app"', "mysql://some:/one@else/where"));
      expect(error.message).toBe(other.message);
    },
  );
});

describe("what is not known of an address is refused", () => {
  it.each([
    ["mysql://u:p@h/d?ssl=true", /parameter "ssl" is not known.*tls=true/],
    ["mysql://u:p@h/d?tls=true&charset=utf8", /parameter "charset" is not known/],
    ["mysql://u:p@h/d?tls=1", /tls.*true or false/],
    ["mysql://u:p@h/d#x", /percent-encode/],
    ["mysql://u:p@h/d/e", /a host and a database/],
    ["mysql://u:p@h", /a host and a database/],
    ["mysql://u:p@h:99999/d", /cannot be parsed/],
    ["mysql://u:%zz@h/d", /malformed percent escape/],
    ["postgres://u:p@h/d", /mysql:\/\//],
  ])("%s", (url, message) => {
    const error = refusal(() => readMysqlAddress('database "app"', url));
    expect([error.code, error.message]).toEqual(["config_invalid", expect.stringMatching(message)]);
    expect(refusal(() => readLedgerAddress(url)).code).toBe("config_invalid");
  });

  it.each([
    [{ host: "h", user: "u", database: "d", tsl: true }, "/databases/app/tsl"],
    [{ host: "h", user: "u" }, "/databases/app"],
    [{ host: "h", user: "u", database: "d", tls: "hidden" }, "/databases/app/tls"],
    [{ host: "h", user: "u", database: "d", port: 0 }, "/databases/app/port"],
    [{ host: "h", user: "u", database: "d", port: "hidden" }, "/databases/app/port"],
    ["postgres://hidden", "/databases/app"],
    [7, "/databases/app"],
  ])("in an object: %j", (app, pointer) => {
    const error = refusal(() => read({ databases: { app } }));
    expect(error.faults.map((fault) => fault.pointer)).toContain(pointer);
    expect(error.faults.every((fault) => fault.pointer.startsWith("/databases/app"))).toBe(true);
    expect(error.message).not.toContain("hidden");
  });

  it("the ledger's address may say tls, and may be an object", () => {
    expect(readLedgerAddress("mysql://u:p@h/d?tls=true")).toMatchObject({ kind: "mysql", tls: true });
    const { progress } = read({ progress: { host: "h", user: "u", database: "d", tls: true } });
    expect(readLedgerAddress(progress)).toMatchObject({ kind: "mysql", host: "h", port: 3306, tls: true });
  });
});

describe("a relative SQLite file", () => {
  it("counts from the configuration's folder, the ledger's default too", () => {
    const config = read({ databases: { a: "sqlite:app.db", b: "sqlite:../b.db", c: "sqlite:/var/c.db" } });
    expect(config.databases).toEqual({
      a: `sqlite:${join(directory, "app.db")}`,
      b: `sqlite:${join(directory, "..", "b.db")}`,
      c: "sqlite:/var/c.db",
    });
    expect(config.progress).toBe(`sqlite:${join(directory, "tranship.db")}`);
    expect(read({ progress: "sqlite:./x/y.db" }).progress).toBe(`sqlite:${join(directory, "x/y.db")}`);
    const named = read({ databases: { a: `sqlite:${variable("FILE")}` } }, { FILE: "z.db" });
    expect(named.databases.a).toBe(`sqlite:${join(directory, "z.db")}`);
  });

  it("counts from the working directory where there is no configuration", () => {
    expect(readConfig(null, {}).progress).toBe("sqlite:./tranship.db");
  });
});
