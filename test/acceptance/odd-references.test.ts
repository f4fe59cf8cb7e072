/** Rows out of the ordinary: two databases, rows narrowed by equality, further columns; lists as manifests. */

import { gzipSync } from "node:zlib";
import type Sqlite from "better-sqlite3";
import type { RowDataPacket } from "mysql2/promise";
import { beforeAll, describe, expect, it } from "vitest";
import { app, database, databaseForAll } from "../support/servers/own-database.ts";
import { type Answer, hasEnded, type Service } from "../support/service.ts";
import { movedKey, type Pair, pathsOf } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const KEYS = imageKeys(20);

let service: Service;
let lite: Sqlite.Database;

worldForAll();
databaseForAll();
beforeAll(async () => {
  const table = world.table("app");
  lite = table.app;
  service = await world.serve({ databases: { app: database.url, lite: table.url } });
}, 120_000);

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
  await app.query(
    `CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL,
       kind INT NOT NULL DEFAULT 1, note VARCHAR(40) NULL DEFAULT 'old', KEY (path))`,
  );
  await app.query(`INSERT INTO ${name} (path, kind) VALUES ?`, [
    rows.map(([path, kind = 1]) => [path, kind]),
  ]);
}

async function rowsOf(name: string): Promise<RowDataPacket[]> {
  const [rows] = await app.query<RowDataPacket[]>(`SELECT path, kind, note FROM ${name} ORDER BY id`);
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
});
