/** Jobs that cannot be because of what is (not) in the stores and databases, and requests that make no sense. */

import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { expectNoJobs, expectRefusal, type Refused } from "../support/refusals.ts";
import { createDatabase, type TestDatabase } from "../support/servers/mariadb.ts";
import type { Service } from "../support/service.ts";
import { openSandboxWorld, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

const SECRET = "s3cr3t-of-the-database";
const REFERENCE = { database: "app", table: "images", key: "id", column: "path" };
const SOURCE = { bucket: "bad-a", prefix: "image/" };
const TARGET = { bucket: "bad-b", prefix: "avatar/" };
const JOB = { source: SOURCE, target: TARGET, references: [REFERENCE] };
const reference = (more: object) => ({ ...JOB, references: [{ ...REFERENCE, ...more }] });
const manifest = (key: string, more: object = {}) => ({
  source: SOURCE,
  target: TARGET,
  inventory: { from: "manifest", bucket: "bad-a", key, ...more },
});

const WRONG_TABLES: readonly Refused[] = [
  {
    title: "a table that is not there",
    body: reference({ table: "imagez" }),
    at: ["/references/0/table"],
    tells: /no table "imagez"/,
  },
  {
    title: "a column that is not there",
    body: reference({ column: "paht" }),
    at: ["/references/0/column"],
    tells: /no column "paht"/,
  },
  {
    title: "a key that is not there",
    body: reference({ key: "uid" }),
    at: ["/references/0/key"],
    tells: /no column "uid"/,
  },
  {
    title: "a key that is not unique",
    body: reference({ key: "kind" }),
    at: ["/references/0/key"],
    tells: /unique/,
  },
  {
    title: "a column to set that is not there",
    body: reference({ set: { legcy: 0 } }),
    at: ["/references/0/set/legcy"],
    tells: /no column "legcy"/,
  },
  {
    title: "a column to narrow by that is not there",
    body: reference({ where: { knd: 1 } }),
    at: ["/references/0/where/knd"],
    tells: /no column "knd"/,
  },
  {
    title: "a prefix that no row has",
    body: { ...JOB, source: { bucket: "bad-a", prefix: "lists/" } },
    at: ["/references/0"],
    tells: /no row.*nothing to move/,
  },
  {
    title: "faults in two references, told together",
    body: {
      ...JOB,
      references: [
        { ...REFERENCE, table: "a" },
        { ...REFERENCE, table: "b" },
      ],
    },
    at: ["/references/0/table", "/references/1/table"],
    tells: /"b"/,
  },
];

const WRONG_BUCKETS: readonly Refused[] = [
  {
    title: "an empty bucket",
    body: { source: { bucket: "empty-bucket" }, target: TARGET },
    at: ["/source/bucket"],
    tells: /empty.*nothing to move/,
  },
  {
    title: "a prefix that no object has",
    body: { source: { bucket: "bad-a", prefix: "Image/" }, target: TARGET },
    at: ["/source/prefix"],
    tells: /nothing to move/,
  },
  {
    title: "a source bucket that is not there",
    body: { source: { bucket: "no-such-bucket" }, target: TARGET },
    at: ["/source/bucket"],
    tells: /no bucket "no-such-bucket"/,
  },
  {
    title: "a target bucket that is not there",
    body: { ...JOB, target: { bucket: "no-such-bucket", prefix: "avatar/" } },
    at: ["/target/bucket"],
    tells: /no bucket "no-such-bucket"/,
  },
  {
    title: "overlapping prefixes through two names of one store",
    body: { source: SOURCE, target: { store: "alias", bucket: "bad-a", prefix: "image/new/" } },
    at: ["/target/prefix"],
    tells: /overlap/,
  },
  {
    title: "stores at two endpoints",
    body: { ...JOB, target: { ...TARGET, store: "silent" } },
    at: ["/target/store"],
    tells: /server-side copy cannot cross endpoints/,
  },
  {
    title: "wrong credentials",
    body: { source: { ...SOURCE, store: "wrong" }, target: { ...TARGET, store: "wrong" } },
    at: ["/source/bucket", "/target/bucket"],
    tells: /"wrong": The store does not accept the credentials/,
  },
];

const WRONG_MANIFESTS: readonly Refused[] = [
  ["lists/other.csv", /source bucket "bad-a"/],
  ["lists/binary.csv", /record 1/],
  ["lists/prose.csv", /not CSV|not usable/],
  ["lists/plain.csv.gz", /manifest/],
  ["lists/nosuch.csv", /lists\/nosuch\.csv/],
  ["lists/empty.csv", /no key/],
  ["lists/strangers.csv", /no key under the source prefix/],
].map(([key, tells]) => ({
  title: `the manifest ${key}`,
  body: manifest(String(key)),
  tells: tells as RegExp,
}));

let world: SandboxWorld;
let database: TestDatabase;
let app: Connection;
let service: Service;

beforeAll(async () => {
  world = await openSandboxWorld();
  world.buckets("bad", imageKeys(5));
  world.store.createBucket("empty-bucket");
  const lists: readonly (readonly [string, string | Buffer])[] = [
    ["other", "elsewhere,image/000001.png\n"],
    ["binary", Buffer.from([0, 1, 2, 255, 254, 10, 7, 8])],
    ["prose", 'Dear all,\n\nplease move the "images.\n'],
    ["empty", ""],
    ["strangers", "bad-a,docs/1.png\n"],
  ];
  for (const [name, body] of lists) world.store.putObject("bad-a", `lists/${name}.csv`, body);
  world.store.putObject("bad-a", "lists/plain.csv.gz", "not packed");
  database = await createDatabase(inject("mariadbUrl"));
  app = await createConnection(database.url);
  await app.query(
    `CREATE TABLE images (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL,
       kind INT NOT NULL DEFAULT 1, KEY (path))`,
  );
  await app.query("INSERT INTO images (path) VALUES ?", [imageKeys(5).map((key) => [key])]);
  service = await world.serve({
    databases: { app: database.url, silent: `mysql://app:${SECRET}@127.0.0.1:1/app` },
    stores: {
      main: world.main,
      alias: world.main,
      silent: { ...world.main, endpoint: "http://127.0.0.1:1" },
      wrong: { ...world.main, secretAccessKey: "not-the-right-one" },
    },
  });
}, 120_000);

afterAll(async () => {
  await app?.end();
  await database?.drop();
  await world?.close();
});

describe("a job whose surroundings are not as it says", () => {
  for (const refused of [...WRONG_TABLES, ...WRONG_BUCKETS, ...WRONG_MANIFESTS]) {
    it(`is refused for ${refused.title}`, async () => {
      const answer = await service.call("POST", "/jobs", refused.body);
      expectRefusal(answer, refused);
      if (refused.at === undefined) expect(answer.body.faults[0].pointer).toMatch(/^\/inventory/);
    });
  }

  it("is put off with 503 while its store does not answer", async () => {
    const job = { source: { ...SOURCE, store: "silent" }, target: { ...TARGET, store: "silent" } };
    const answer = await service.call("POST", "/jobs", job);
    expectRefusal(answer, { status: 503, code: "store_unavailable", tells: /ECONNREFUSED/ });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("is put off with 503 while its database does not answer, and the password stays secret", async () => {
    const answer = await service.call("POST", "/jobs", reference({ database: "silent" }));
    expectRefusal(answer, { status: 503, code: "database_unavailable", tells: /"silent".*ECONNREFUSED/ });
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
  });
});

describe("a request that makes no sense", () => {
  const missing = { status: 404, code: "not_found", tells: /no job "nosuch"/ };

  for (const path of ["", "/exceptions", "/batches", "/audit", "/objects?key=x"]) {
    it(`is answered with 404 for GET /jobs/nosuch${path}`, async () => {
      expectRefusal(await service.call("GET", `/jobs/nosuch${path}`), missing);
    });
  }

  for (const action of ["pause", "resume", "cancel", "approve", "retry"]) {
    it(`is answered with 404 for POST /jobs/nosuch/${action}`, async () => {
      expectRefusal(await service.call("POST", `/jobs/nosuch/${action}`), missing);
    });
  }

  const wrongMethods = { "PUT /jobs": "POST", "DELETE /jobs/x": "GET", "GET /jobs/x/pause": "POST" };
  for (const [request, allow] of Object.entries(wrongMethods)) {
    const [method = "", path = ""] = request.split(" ");
    it(`is answered with 405 and what is allowed for ${method} ${path}`, async () => {
      const answer = await service.call(method, path);
      expectRefusal(answer, { status: 405, code: "method_not_allowed", tells: new RegExp(allow) });
      expect(answer.headers.get("allow")).toContain(allow);
    });
  }

  it("is answered with what would be right for a bad query", async () => {
    const unreadable = { status: 400 };
    const ask = (query: string) => service.call("GET", `/jobs?${query}`);
    expectRefusal(await ask("limit=0"), { ...unreadable, at: ["/limit"], tells: /1/ });
    expectRefusal(await ask("limit=ten"), { ...unreadable, at: ["/limit"], tells: /integer/ });
    expectRefusal(await ask("state=done"), { ...unreadable, at: ["/state"], tells: /queued, running/ });
    expectRefusal(await ask("colour=red"), { ...unreadable, at: ["/colour"], tells: /colour/ });
    expectRefusal(await ask("cursor=zz"), { tells: /cursor/ });
  });

  it("and all the others before have changed nothing: no job, no write, every row as it was", async () => {
    await expectNoJobs(service);
    expect(world.writes()).toBe(0);
    expect(world.store.countObjects("bad-a")).toBe(11);
    expect(world.store.countObjects("bad-b")).toBe(0);
    const [rows] = await app.query<RowDataPacket[]>("SELECT path, kind FROM images ORDER BY id");
    expect(rows).toEqual(imageKeys(5).map((path) => ({ path, kind: 1 })));
    const [tables] = await app.query<RowDataPacket[]>("SHOW TABLES");
    expect(tables).toHaveLength(1);
  });
});
