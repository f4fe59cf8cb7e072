/** Jobs that cannot be because of what is (not) in the stores and databases, and requests that make no sense. */

import type { RowDataPacket } from "mysql2/promise";
import { beforeAll, describe, expect, it } from "vitest";
import { expectNoJobs, expectRefusal } from "../support/refusals.ts";
import { app, database, databaseForAll } from "../support/servers/own-database.ts";
import type { Service } from "../support/service.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const SECRET = "s3cr3t-of-the-database";
const REFERENCE = { database: "app", table: "images", key: "id", column: "path" };
const SOURCE = { bucket: "bad-a", prefix: "image/" };
const TARGET = { bucket: "bad-b", prefix: "avatar/" };
const JOB = { source: SOURCE, target: TARGET, references: [REFERENCE] };
const reference = (more: object) => ({ ...JOB, references: [{ ...REFERENCE, ...more }] });
/** A job, the places of its faults, and what must be told of them. */
type Row = readonly [title: string, body: object, at: readonly string[], tells: RegExp];

const WRONG_TABLES: readonly Row[] = [
  ["a table that is not there", reference({ table: "imagez" }), ["/references/0/table"], /no table "imagez"/],
  ["a column that is not there", reference({ column: "paht" }), ["/references/0/column"], /no column "paht"/],
  ["a key that is not there", reference({ key: "uid" }), ["/references/0/key"], /no column "uid"/],
  ["a key that is not unique", reference({ key: "kind" }), ["/references/0/key"], /unique/],
  ["no column to set", reference({ set: { legcy: 0 } }), ["/references/0/set/legcy"], /no column "legcy"/],
  [
    "no column to narrow by",
    reference({ where: { knd: 1 } }),
    ["/references/0/where/knd"],
    /no column "knd"/,
  ],
  [
    "a prefix that no row has",
    { ...JOB, source: { bucket: "bad-a", prefix: "lists/" } },
    ["/references/0"],
    /no row.*nothing to move/,
  ],
  [
    "faults in two references, told together",
    { ...JOB, references: ["a", "b"].map((table) => ({ ...REFERENCE, table })) },
    ["/references/0/table", "/references/1/table"],
    /"b"/,
  ],
];

const moveFrom = (source: object, target: object = TARGET) => ({ source, target });
const WRONG_BUCKETS: readonly Row[] = [
  ["an empty bucket", moveFrom({ bucket: "empty-bucket" }), ["/source/bucket"], /empty.*nothing to move/],
  ["a prefix of no object", moveFrom({ ...SOURCE, prefix: "Image/" }), ["/source/prefix"], /nothing to move/],
  [
    "no source bucket",
    moveFrom({ bucket: "no-such-bucket" }),
    ["/source/bucket"],
    /no bucket "no-such-bucket"/,
  ],
  [
    "no target bucket",
    moveFrom(SOURCE, { bucket: "no-such-one" }),
    ["/target/bucket"],
    /no bucket "no-such-one"/,
  ],
  [
    "overlapping prefixes through two names of one store",
    moveFrom(SOURCE, { store: "alias", bucket: "bad-a", prefix: "image/new/" }),
    ["/target/prefix"],
    /overlap/,
  ],
  [
    "stores at two endpoints",
    { ...JOB, target: { ...TARGET, store: "silent" } },
    ["/target/store"],
    /server-side copy cannot cross endpoints/,
  ],
  [
    "wrong credentials",
    moveFrom({ ...SOURCE, store: "wrong" }, { ...TARGET, store: "wrong" }),
    ["/source/bucket", "/target/bucket"],
    /"wrong": The store does not accept the credentials/,
  ],
];

const WRONG_MANIFESTS: readonly [key: string, tells: RegExp][] = [
  ["lists/other.csv", /source bucket "bad-a"/],
  ["lists/binary.csv", /record 1/],
  ["lists/prose.csv", /not CSV|not usable/],
  ["lists/plain.csv.gz", /manifest/],
  ["lists/nosuch.csv", /lists\/nosuch\.csv/],
  ["lists/empty.csv", /no key/],
  ["lists/strangers.csv", /no key under the source prefix/],
];

let service: Service;

worldForAll();
databaseForAll();
beforeAll(async () => {
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

describe("a job whose surroundings are not as it says", () => {
  it.each([...WRONG_TABLES, ...WRONG_BUCKETS])("is refused for %s", async (_, body, at, tells) => {
    expectRefusal(await service.call("POST", "/jobs", body), { at, tells });
  });

  it.each(WRONG_MANIFESTS)("is refused for the manifest %s", async (key, tells) => {
    const inventory = { from: "manifest", bucket: "bad-a", key };
    const answer = await service.call("POST", "/jobs", { source: SOURCE, target: TARGET, inventory });
    expectRefusal(answer, { tells });
    expect(answer.body.faults[0].pointer).toMatch(/^\/inventory/);
  });

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
  it("is answered with 404 for a job that is not there, and with 405 and what is allowed for a method", async () => {
    const missing = { status: 404, code: "not_found", tells: /no job "nosuch"/ };
    for (const path of ["", "/exceptions", "/batches", "/audit", "/objects?key=x"])
      expectRefusal(await service.call("GET", `/jobs/nosuch${path}`), missing);
    for (const action of ["pause", "resume", "cancel", "approve", "retry"])
      expectRefusal(await service.call("POST", `/jobs/nosuch/${action}`), missing);
    const wrong = await service.call("DELETE", "/jobs/x");
    expectRefusal(wrong, { status: 405, code: "method_not_allowed", tells: /GET/ });
  });

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
