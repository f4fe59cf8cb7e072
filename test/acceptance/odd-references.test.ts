/** Rows out of the ordinary: two databases, URLs, rows narrowed by equality, further columns; lists as manifests. */

import { gzipSync } from "node:zlib";
import type Sqlite from "better-sqlite3";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createDatabase, type TestDatabase } from "../support/servers/mariadb.ts";
import { type Answer, hasEnded, type Service } from "../support/service.ts";
import {
  movedKey,
  openSandboxWorld,
  type Pair,
  pathsOf,
  type SandboxWorld,
} from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
const CDN = "https://cdn.example.com/";

let world: SandboxWorld;
let service: Service;
let database: TestDatabase;
let maria: Connection;
let lite: Sqlite.Database;

beforeAll(async () => {
  world = await openSandboxWorld();
  database = await createDatabase(inject("mariadbUrl"));
  maria = await createConnection(database.url);
  const table = world.table("app");
  lite = table.app;
  service = await world.serve({ databases: { app: database.url, lite: table.url } });
}, 120_000);

afterAll(async () => {
  await maria?.end();
  await database?.drop();
  await world?.close();
});

async function move(pair: Pair, more: Record<string, unknown> = {}): Promise<Answer["body"]> {
  const job = { ...pair, batchSize: 7, delete: { when: "verified", after: "0s" }, ...more };
  const { status, body } = await service.call("POST", "/jobs", job);
  expect(status, JSON.stringify(body)).toBe(202);
  return service.poll(body.id, hasEnded, 30_000);
}

async function makeTable(
  name: string,
  rows: readonly (readonly [path: string, kind?: number])[],
): Promise<void> {
  await maria.query(
    `CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL,
       kind INT NOT NULL DEFAULT 1, note VARCHAR(40) NULL DEFAULT 'old', KEY (path))`,
  );
  await maria.query(`INSERT INTO ${name} (path, kind) VALUES ?`, [
    rows.map(([path, kind = 1]) => [path, kind]),
  ]);
}

async function rowsOf(name: string): Promise<RowDataPacket[]> {
  const [rows] = await maria.query<RowDataPacket[]>(`SELECT path, kind, note FROM ${name} ORDER BY id`);
  return rows;
}

const column = (table: string, more: object = {}) => ({
  database: "app",
  table,
  key: "id",
  column: "path",
  ...more,
});

describe.concurrent("references", () => {
  it("in two databases are both rewritten before a source is deleted", async () => {
    const pair = world.buckets("two", KEYS);
    await makeTable(
      "two",
      KEYS.map((key) => [key]),
    );
    const insert = lite.prepare("INSERT INTO images (path) VALUES (?)");
    for (const key of KEYS.slice(5, 15)) insert.run(key);
    insert.run("docs/other.pdf");
    const references = [column("two"), { ...column("images"), database: "lite", set: { legacy: 0 } }];
    const done = await move(pair, { references });
    expect(done).toMatchObject({ state: "completed", objects: { moved: 20 }, rows: { updated: 30 } });
    expect((await rowsOf("two")).map((row) => row.path)).toEqual(KEYS.map(movedKey));
    expect(pathsOf(lite)).toEqual([...KEYS.slice(5, 15).map(movedKey), "docs/other.pdf"]);
    const legacy = lite.prepare<[], { legacy: number }>("SELECT legacy FROM images ORDER BY id").all();
    expect(legacy.map((row) => row.legacy)).toEqual([...new Array(10).fill(0), 1]);
    expect(world.store.countObjects("two-a")).toBe(0);
  });

  it("that hold URLs keep their form, encoded or as they are", async () => {
    const keys = ["image/a b.png", "image/ü.png", "image/plain.png", "image/c+d.png"];
    const pair = world.buckets("urls", keys);
    await makeTable("urls", [
      [`${CDN}image/a%20b.png`],
      [`${CDN}image/%C3%BC.png`],
      [`${CDN}image/ü.png`],
      [`${CDN}image/plain.png`],
      [`${CDN}image/c%2Bd.png`],
      ["https://elsewhere.example.com/image/plain.png"],
      [`${CDN}docs/plain.png`],
    ]);
    const done = await move(pair, { references: [column("urls", { urlPrefix: CDN })] });
    expect(done).toMatchObject({ state: "completed", objects: { moved: 4, exceptions: 0 } });
    expect((await rowsOf("urls")).map((row) => row.path)).toEqual([
      `${CDN}avatar/a%20b.png`,
      `${CDN}avatar/%C3%BC.png`,
      `${CDN}avatar/ü.png`,
      `${CDN}avatar/plain.png`,
      `${CDN}avatar/c%2Bd.png`,
      "https://elsewhere.example.com/image/plain.png",
      `${CDN}docs/plain.png`,
    ]);
    expect(world.store.listKeys("urls-b")).toEqual(keys.map(movedKey).sort());
    expect(world.store.listKeys("urls-a")).toEqual([]);
  });

  it("narrowed by `where` leave other rows alone, and a source that another row names is kept", async () => {
    const [a = "", b = "", c = ""] = KEYS;
    const pair = world.buckets("narrow", [a, b, c]);
    await makeTable("narrow", [
      [a, 1],
      [b, 2],
      [c, 1],
      [c, 2],
    ]);
    const set = { note: "it's `new`; --", kind: 1 };
    const done = await move(pair, { references: [column("narrow", { where: { kind: 1 }, set })] });
    expect(done.state).toBe("completed_with_exceptions");
    const { body } = await service.call("GET", `/jobs/${done.id}/exceptions`);
    expect(body.items).toMatchObject([{ key: c, code: "still_referenced" }]);
    expect(await rowsOf("narrow")).toEqual([
      { path: movedKey(a), kind: 1, note: set.note },
      { path: b, kind: 2, note: "old" },
      { path: movedKey(c), kind: 1, note: set.note },
      { path: c, kind: 2, note: "old" },
    ]);
    expect(world.store.listKeys("narrow-a")).toEqual([b, c]);
    expect(world.store.listKeys("narrow-b")).toEqual([movedKey(a), movedKey(c)]);
  });

  it("set other columns of the same row, to nothing as well", async () => {
    const pair = world.buckets("setting", KEYS.slice(0, 3));
    await makeTable(
      "setting",
      KEYS.slice(0, 3).map((key) => [key]),
    );
    const done = await move(pair, { references: [column("setting", { set: { note: null, kind: 7 } })] });
    expect(done.state).toBe("completed");
    const rows = KEYS.slice(0, 3).map((key) => ({ path: movedKey(key), kind: 7, note: null }));
    expect(await rowsOf("setting")).toEqual(rows);
  });
});

const HOSTILE = ["image/a b.png", "image/c+d.png", "image/ü,x.png", 'image/"q".png', "image/100%.png"];
const formEncoded = (key: string) => encodeURIComponent(key).replaceAll("%2F", "/");
const plus = (key: string) => formEncoded(key).replaceAll("%20", "+");

/** Lists of {@link HOSTILE} without its last key, each in a form that S3 or a person would write. */
const LISTS: Readonly<Record<string, (keys: readonly string[], bucket: string) => string | Buffer>> = {
  "batch-operations.csv": (keys, bucket) => keys.map((key) => `${bucket},${formEncoded(key)}\n`).join(""),
  "with-plus.csv": (keys, bucket) => keys.map((key) => `${bucket},${plus(key)}\r\n`).join(""),
  "with-version.csv": (keys, bucket) => keys.map((key) => `${bucket},${plus(key)},\n`).join(""),
  "inventory.csv": (keys, bucket) =>
    keys.map((key) => `"${bucket}","${formEncoded(key)}","12","2026-01-01T00:00:00.000Z"\n`).join(""),
  "keys.txt": (keys) => keys.map(formEncoded).join("\n"),
  "inventory.csv.gz": (keys, bucket) =>
    gzipSync(keys.map((key) => `"${bucket}","${formEncoded(key)}"\n`).join("")),
};

describe.concurrent("a manifest", () => {
  for (const [name, write] of Object.entries(LISTS)) {
    it(`like ${name} names exactly what is moved`, async () => {
      const bucketName = `list-${name.replaceAll(".", "-")}`;
      const pair = world.buckets(bucketName, HOSTILE);
      const listed = HOSTILE.slice(0, -1);
      world.store.putObject(pair.source.bucket, `lists/${name}`, write(listed, pair.source.bucket));
      const inventory = { from: "manifest", bucket: pair.source.bucket, key: `lists/${name}` };
      const done = await move(pair, { inventory });
      expect(done).toMatchObject({ state: "completed", objects: { planned: 4, moved: 4, exceptions: 0 } });
      expect(world.store.listKeys(pair.target.bucket)).toEqual(listed.map(movedKey).sort());
      expect(world.store.listKeys(pair.source.bucket)).toEqual(["image/100%.png", `lists/${name}`]);
    });
  }

  it("may name what is not there, what is named twice and what lies elsewhere: each is accounted for", async () => {
    const pair = world.buckets("list-odd", KEYS.slice(0, 3));
    const keys = [KEYS[0], KEYS[1], KEYS[0], "image/missing.png", "docs/elsewhere.png"];
    world.store.putObject("list-odd-a", "list.csv", keys.map((key) => `list-odd-a,${key}\n`).join(""));
    const done = await move(pair, { inventory: { from: "manifest", bucket: "list-odd-a", key: "list.csv" } });
    expect(done.state).toBe("completed_with_exceptions");
    const { planned, moved, skipped, exceptions } = done.objects;
    expect(moved).toBe(2);
    expect(moved + skipped + exceptions).toBe(planned);
    const { body } = await service.call("GET", `/jobs/${done.id}/exceptions`);
    expect(body.items).toMatchObject([
      { key: "docs/elsewhere.png", code: "outside_prefix" },
      { key: "image/missing.png", code: "source_missing" },
    ]);
    expect(world.store.listKeys("list-odd-a")).toEqual([KEYS[2], "list.csv"]);
  });
});
