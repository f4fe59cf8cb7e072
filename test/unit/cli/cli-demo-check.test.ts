/** The demo's check can fail: each kind of loss that it exists for is found. */

import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWorld } from "../../../src/demo/demo-check.ts";
import { demoObject, targetKeyOf } from "../../../src/demo/demo-objects.ts";
import { demoRowCount, demoRowsOf, movedBeforeKey, movedRowsOf } from "../../../src/demo/demo-rows.ts";
import { type DemoWorld, makeWorld, SOURCE_BUCKET, TARGET_BUCKET } from "../../../src/demo/demo-world.ts";

/** The hostile keys are the 25th, 50th, … */
const OBJECTS = 100;
const quiet = new AbortController().signal;

describe("the demo's seeds", () => {
  it("have keys of their own, in rows that agree, however many there are", () => {
    const COUNT = 6_000;
    const keys = new Set<string>();
    const ids: number[] = [];
    for (let index = 0; index < COUNT; index += 1) {
      const { key } = demoObject(index);
      keys.add(key);
      ids.push(...demoRowsOf(index).map((row) => row.id));
    }
    expect(targetKeyOf(24)).toBe(demoObject(24).key.replace(/^image\//, "avatar/"));
    expect(keys.size).toBe(COUNT);
    expect(ids).toEqual(Array.from({ length: demoRowCount(COUNT) }, (_, i) => i + 1));
  });

  it("are the same each time", () => expect(demoObject(77)).toEqual(demoObject(77)));
});

describe("the check", () => {
  let world: DemoWorld;
  beforeEach(async () => {
    world = await makeWorld(OBJECTS, quiet);
    moveEverything(world);
  });
  afterEach(() => world.close(false));

  const sql = (statement: string) => {
    const database = new Database(world.databaseFile);
    database.exec(statement);
    database.close();
  };

  it("is content with a perfect move", () => {
    expect(checkWorld(world, OBJECTS)).toEqual({ ok: true, differences: [], found: 0 });
  });

  const { key, body, options } = demoObject(9);
  const losses: readonly (readonly [string, () => void, string])[] = [
    ["a lost object", () => world.store.deleteObject(TARGET_BUCKET, targetKeyOf(9)), "is missing"],
    ["a changed byte", () => put(Buffer.concat([body.subarray(1), Buffer.from("x")]), options), "its bytes"],
    ["another type", () => put(body, { ...options, contentType: "text/plain" }), "its content type"],
    ["lost headers", () => put(body, { ...options, cacheControl: "" }), "its cache control"],
    ["lost metadata", () => put(body, { ...options, metadata: {} }), "its metadata"],
    ["a source left behind", () => world.store.putObject(SOURCE_BUCKET, key, body), "is still there"],
    ["a bystander taken", () => world.store.deleteObject(SOURCE_BUCKET, "Image/3.png"), "is gone"],
    [
      "an older object replaced",
      () => world.store.putObject(TARGET_BUCKET, movedBeforeKey(3), "x"),
      "changed",
    ],
    [
      "an object too many",
      () => world.store.putObject(TARGET_BUCKET, "avatar/x", "x"),
      "141 objects instead of 140",
    ],
    [
      "a row that stayed",
      () => sql("UPDATE images SET path = 'image/x' WHERE id = 7"),
      'row 7 has path "image/x"',
    ],
    [
      "a row half changed",
      () => sql("UPDATE images SET legacy = 1 WHERE id = 7"),
      "row 7 has legacy 1 instead of 0",
    ],
    [
      "another column touched",
      () => sql("UPDATE images SET updated_at = 'now' WHERE id = 7"),
      "has updated_at",
    ],
    [
      "a lookalike changed",
      () => sql("UPDATE images SET legacy = 0 WHERE path = 'Image/3.png'"),
      "has legacy 0",
    ],
    ["a row too many", () => sql("INSERT INTO images (path) VALUES ('avatar/x')"), "a row too many"],
    [
      "a lost last row",
      () => sql("DELETE FROM images WHERE id = (SELECT max(id) FROM images)"),
      "is missing",
    ],
  ];

  it.each(losses)("finds %s", (_, lose, words) => {
    lose();
    const check = checkWorld(world, OBJECTS);
    expect(check.ok).toBe(false);
    expect(check.differences.join("\n")).toContain(words);
  });

  it("counts all differences and tells the first twenty", () => {
    sql("UPDATE images SET legacy = 9");
    const check = checkWorld(world, OBJECTS);
    expect(check.found).toBe(demoRowCount(OBJECTS) + 47);
    expect(check.differences).toHaveLength(20);
  });

  function put(bytes: Buffer, seed: typeof options): void {
    world.store.putObject(TARGET_BUCKET, targetKeyOf(9), bytes, seed);
  }
});

it("a world that is not wanted any more is not finished", async () => {
  await expect(makeWorld(OBJECTS, AbortSignal.abort())).rejects.toThrow();
});

/** Does in process what a perfect relocation does. */
function moveEverything({ store, databaseFile }: DemoWorld): void {
  const database = new Database(databaseFile);
  database.pragma("synchronous = OFF");
  const update = database.prepare("UPDATE images SET path = @path, legacy = @legacy WHERE id = @id");
  database.transaction(() => {
    for (let index = 0; index < OBJECTS; index += 1) {
      const { key, body, options } = demoObject(index);
      store.putObject(TARGET_BUCKET, targetKeyOf(index), body, options);
      store.deleteObject(SOURCE_BUCKET, key);
      for (const row of movedRowsOf(index)) update.run(row);
    }
  })();
  database.close();
}
