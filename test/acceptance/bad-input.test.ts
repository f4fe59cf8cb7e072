/** Jobs that cannot be, by their own text: each is refused with every fault in its place, and nothing is changed. */

import { beforeAll, describe, expect, it } from "vitest";
import { expectNoJobs, expectRefusal } from "../support/refusals.ts";
import type { Service } from "../support/service.ts";
import { pathsOf, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const REFERENCE = { database: "app", table: "images", key: "id", column: "path" };
const JOB = {
  source: { bucket: "bad-a", prefix: "image/" },
  target: { bucket: "bad-b", prefix: "avatar/" },
  references: [REFERENCE],
};
const reference = (more: object) => ({ ...JOB, references: [{ ...REFERENCE, ...more }] });
const windows = (more: object) => ({
  ...JOB,
  windows: { timezone: "Africa/Cairo", open: [{ from: "22:00", to: "06:00" }], ...more },
});

const UNREADABLE: readonly [title: string, body: string, tells: RegExp][] = [
  ["JSON that ends too early", '{"source":', /ends too early, at line 1, column 11/],
  ["an array", "[]", /object/],
  ["nothing at all", "", /object/],
  ["a field __proto__", '{"__proto__":{"x":1}}', /__proto__/],
];

/** One of each kind; the unit tests of parsing and of the rules between fields have them all. */
const REFUSED: readonly [title: string, body: unknown, at: readonly string[], tells: RegExp][] = [
  ["an unknown field of limits", { ...JOB, limits: { concurency: 3 } }, ["/limits/concurency"], /unknown/],
  ["an unknown field to be escaped", { ...JOB, "a/b~c": 1 }, ["/a~1b~0c"], /unknown/],
  ["no source", { target: JOB.target }, ["/source"], /required/],
  [
    "wrong types in many places, all told at once",
    { ...JOB, source: "x", batchSize: "10", references: {}, maxObjects: 1.5, delete: null },
    ["/batchSize", "/delete", "/maxObjects", "/references", "/source"],
    /integer/,
  ],
  [
    "an unknown policy",
    { ...JOB, onConflict: "replace" },
    ["/onConflict"],
    /fail.*skip-identical.*overwrite/,
  ],
  ["an unknown way to verify", { ...JOB, verify: "md5" }, ["/verify"], /etag.*size.*checksum/],
  ["an unknown time", { ...JOB, delete: { when: "later" } }, ["/delete/when"], /verified.*approved.*never/],
  [
    "an unknown inventory",
    { ...JOB, inventory: { from: "x" } },
    ["/inventory/from"],
    /bucket.*database.*manifest/,
  ],
  [
    "a manifest without a place",
    { ...JOB, inventory: { from: "manifest" } },
    ["/inventory/bucket", "/inventory/key"],
    /bucket and key|required/,
  ],
  ["a bucket that cannot be", { ...JOB, target: { bucket: "No_Such" } }, ["/target/bucket"], /bucket/i],
  ["an absurd concurrency", { ...JOB, limits: { concurrency: 1e9 } }, ["/limits/concurrency"], /4096/],
  [
    "an absurd rate",
    { ...JOB, limits: { rowsPerSecond: 1e300 } },
    ["/limits/rowsPerSecond"],
    /1000000000000/,
  ],
  [
    "a grace of tomorrow",
    { ...JOB, delete: { after: "tomorrow" } },
    ["/delete/after"],
    /90s, 15m, 24h or 7d/,
  ],
  [
    "an instant without a zone",
    { ...JOB, filter: { modifiedBefore: "2026-11-01T00:00:00" } },
    ["/filter/modifiedBefore"],
    /2026-11-01T00:00:00Z/,
  ],
  ["a time zone that is none", windows({ timezone: "Mars/Olympus" }), ["/windows/timezone"], /./],
  ["30 February", windows({ closed: ["2026-02-30"] }), ["/windows/closed/0"], /./],
  ["25 o'clock", windows({ open: [{ from: "25:00", to: "06:00" }] }), ["/windows/open/0/from"], /./],
  [
    "a table that ends its quotes",
    reference({ table: "images`; DROP TABLE images; --" }),
    ["/references/0/table"],
    /letters|pattern/,
  ],
  ["set of its own column", reference({ set: { PATH: "x" } }), ["/references/0/set"], /own column/],
  ["one column twice", { ...JOB, references: [REFERENCE, REFERENCE] }, ["/references/1"], /twice/],
  ["a source that is the target", { ...JOB, target: JOB.source }, ["/target"], /same place/],
  [
    "a target inside the source",
    { ...JOB, target: { bucket: "bad-a", prefix: "image/new/" } },
    ["/target/prefix"],
    /overlap.*separate prefixes/,
  ],
  [
    "a prefix with half a character",
    '{"source":{"bucket":"bad-a","prefix":"image/\\ud800"},"target":{"bucket":"bad-b"}}',
    ["/source/prefix"],
    /Unicode/,
  ],
  [
    "no such store",
    { ...JOB, source: { ...JOB.source, store: "x" } },
    ["/source/store"],
    /configured are: main/,
  ],
  ["an unknown engine", { ...JOB, engine: "batch" }, ["/engine"], /service.*lambda/],
  ["an engine on AWS for another store", { ...JOB, engine: "lambda" }, ["/engine"], /"main" is not AWS/],
  ["settings of functions for the service", { ...JOB, lambda: {} }, ["/lambda"], /only the engines/],
  [
    "a function's ARN",
    { ...JOB, engine: "lambda", lambda: { copyFunction: "arn:aws:lambda:eu-west-1:123456789012:x" } },
    ["/lambda/copyFunction"],
    /unknown field/,
  ],
  ["no such database", reference({ database: "x" }), ["/references/0/database"], /configured are: app/],
];

describe("a job that cannot be", () => {
  let service: Service;
  let app: ReturnType<SandboxWorld["table"]>["app"];
  const keys = imageKeys(5);

  worldForAll();
  beforeAll(async () => {
    world.buckets("bad", keys);
    const table = world.table("app", keys);
    app = table.app;
    service = await world.serve({ databases: { app: table.url } });
  });

  it.each(UNREADABLE)("is not even read when it is %s", async (_, body, tells) => {
    expectRefusal(await service.call("POST", "/jobs", body), { status: 400, tells });
  });

  it.each(REFUSED)("is refused for %s", async (_, body, at, tells) => {
    expectRefusal(await service.call("POST", "/jobs", body), { at, tells });
  });

  it.each(["set", "where"])("is refused for %s of a column that ends its quotes", async (field) => {
    const answer = await service.call("POST", "/jobs", reference({ [field]: { 'images" OR "1"="1': 1 } }));
    expectRefusal(answer, { tells: /not a usable column name/ });
  });

  it("is refused with an idempotency key that is too long", async () => {
    const answer = await service.call("POST", "/jobs", JOB, { "idempotency-key": "k".repeat(300) });
    expectRefusal(answer, { status: 400, at: ["/Idempotency-Key"], tells: /255/ });
  });

  it("is refused when it is longer than 1 MiB", async () => {
    const answer = await service.call("POST", "/jobs", { ...JOB, name: "x".repeat(1_100_000) });
    expectRefusal(answer, { status: 413, code: "payload_too_large", tells: /1 MiB/ });
  });

  it("is refused when it is not sent as JSON", async () => {
    const answer = await service.call("POST", "/jobs", JOB, { "content-type": "text/plain" });
    expectRefusal(answer, { status: 415, code: "unsupported_media_type", tells: /application\/json/ });
  });

  it("has changed nothing in the end: no job, no request to the store, every row as it was", async () => {
    await expectNoJobs(service);
    expect(world.store.requests.total).toBe(0);
    expect(world.store.listKeys("bad-a")).toEqual(keys);
    expect(pathsOf(app)).toEqual(keys);
  });
});
