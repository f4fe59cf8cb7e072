/** Preflight tells what would happen and what stands in the way, and changes nothing; the canary proves the rights. */

import type { RowDataPacket } from "mysql2/promise";
import { beforeAll, describe, expect, it } from "vitest";
import type { RequestMatch } from "../../src/sandbox-s3/faults/fault-rules.ts";
import { app, database, databaseForAll } from "../support/servers/own-database.ts";
import type { Answer, Service } from "../support/service.ts";
import { lastLine, movedKey } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const KEYS = imageKeys(20);
const REFERENCE = { database: "app", table: "images", key: "id", column: "path" };

let service: Service;

worldForAll();
databaseForAll();
beforeAll(async () => {
  world.buckets("plain", KEYS);
  const columns = (path: string) => `(id INT PRIMARY KEY AUTO_INCREMENT, path ${path}, KEY (path))`;
  await app.query(`CREATE TABLE images ${columns("VARCHAR(255) NOT NULL")}`);
  await app.query(`CREATE TABLE narrow ${columns("VARCHAR(18) NOT NULL")}`);
  await app.query("CREATE TABLE bare (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL)");
  const rows = KEYS.map((key) => [key]);
  for (const table of ["images", "narrow", "bare"]) {
    await app.query(`INSERT INTO ${table} (path) VALUES ?`, [rows]);
  }
  service = await world.serve({
    databases: { app: database.url, silent: "mysql://app:secret@127.0.0.1:1/app" },
    stores: {
      main: world.main,
      silent: { ...world.main, endpoint: "http://127.0.0.1:1" },
      wrong: { ...world.main, secretAccessKey: "not-the-right-one" },
    },
  });
}, 120_000);

const placesOf = (name: string, store = "main") => ({
  source: { store, bucket: `${name}-a`, prefix: "image/" },
  target: { store, bucket: `${name}-b`, prefix: "avatar/" },
});
const withRows = (more: object = {}) => ({
  ...placesOf("plain"),
  references: [{ ...REFERENCE, ...more }],
});

async function preflight(job: unknown, query = ""): Promise<Answer["body"]> {
  const { status, body } = await service.call("POST", `/jobs/preflight${query}`, job);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.ok).toBe(body.problems.every((problem: { severity: string }) => problem.severity !== "error"));
  return body;
}

/** The job's problems are exactly these. */
async function expectProblems(job: unknown, expected: Record<string, object>): Promise<void> {
  const { problems } = await preflight(job);
  const codes = problems.map((problem: { code: string }) => problem.code);
  expect(codes.sort(), JSON.stringify(problems)).toEqual(Object.keys(expected).sort());
  for (const problem of problems) expect(problem).toMatchObject(expected[problem.code] ?? {});
}

describe("preflight", () => {
  it("counts what a sound job would do, and finds no problem", async () => {
    const report = await preflight(withRows());
    expect(report).toMatchObject({ ok: true, objects: 20, problems: [], requests: { copy: 20, delete: 1 } });
    expect(report.bytes).toBe(KEYS.reduce((sum, key) => sum + `body of ${key}`.length, 0));
    expect(report.rows["app.images.path"]).toBeGreaterThan(0);
    expect(report.estimatedCostUsd).toBeGreaterThan(0);
    expect(Date.parse(report.finishAt)).toBeGreaterThan(Date.now() - 60_000);
  });

  it("finds targets that lie in the source, and a mapping onto itself", async () => {
    const { source } = placesOf("plain");
    const inside = { source, target: { bucket: "plain-a", prefix: "image/new/" } };
    await expectProblems(inside, { target_inside_source: { severity: "error" } });
    await expectProblems({ source, target: source }, { identity_mapping: { severity: "error" } });
  });

  it("finds objects that stand at the target already, and judges them by onConflict", async () => {
    world.buckets("taken", KEYS);
    const [same = "", other = ""] = KEYS;
    world.store.putObject("taken-b", movedKey(same), `body of ${same}`);
    world.store.putObject("taken-b", movedKey(other), "somebody else's");
    const examples = { target_identical: [movedKey(same)], target_exists: [movedKey(other)] };
    for (const [onConflict, identical, different] of [
      ["fail", "error", "error"],
      ["skip-identical", "warning", "error"],
      ["overwrite", "warning", "warning"],
    ]) {
      await expectProblems(
        { ...placesOf("taken"), onConflict },
        {
          target_identical: { severity: identical, examples: examples.target_identical },
          target_exists: { severity: different, examples: examples.target_exists },
        },
      );
    }
  });

  it("finds keys that would be too long, archived objects and a versioned source", async () => {
    const long = `image/${"ü".repeat(508)}.png`;
    world.buckets("odd", [long, "image/fine.png"]);
    world.store.putObject("odd-a", "image/cold.png", "cold", {
      storageClass: "GLACIER",
    });
    world.store.setVersioning("odd-a", "Enabled");
    await expectProblems(placesOf("odd"), {
      key_too_long: { severity: "error", examples: [long] },
      archived: { severity: "warning", examples: ["image/cold.png"] },
      versioned_source: { severity: "warning" },
    });
  });

  it("finds tables, columns and indexes that are missing, and columns that are too narrow", async () => {
    await expectProblems(withRows({ table: "imagez" }), { table_missing: { message: /imagez/ } });
    await expectProblems(withRows({ column: "paht" }), { column_missing: { message: /paht/ } });
    await expectProblems(withRows({ table: "bare" }), {
      column_not_indexed: { examples: ["CREATE INDEX ... ON `bare` (`path`)"] },
    });
    const long = { bucket: "plain-b", prefix: "avatars/2026/" };
    await expectProblems(
      { ...withRows({ table: "narrow" }), target: long },
      { column_too_narrow: { severity: "error", message: /18 characters.*23/ } },
    );
  });

  it("tells which store or database does not answer or does not let it in", async () => {
    await expectProblems(placesOf("plain", "silent"), { store_unavailable: { severity: "error" } });
    await expectProblems(withRows({ database: "silent" }), { database_unavailable: { severity: "error" } });
    const nowhere = { ...placesOf("plain"), target: { bucket: "nowhere-b", prefix: "avatar/" } };
    await expectProblems(nowhere, { bucket_missing: { severity: "error", message: /nowhere-b/ } });
    const { problems } = await preflight(placesOf("plain", "wrong"));
    for (const { code } of problems) expect(code).toBe("store_credentials");
    expect(problems).not.toEqual([]);
  });

  it("and in all this has written nothing to the store, and changed no row", async () => {
    expect(world.writes()).toBe(0);
    const [rows] = await app.query<RowDataPacket[]>("SELECT path FROM images ORDER BY id");
    expect(rows.map((row) => row.path)).toEqual(KEYS);
    expect((await service.call("GET", "/jobs")).body.items).toEqual([]);
  });
});

describe("the canary", () => {
  const contents = () => [world.store.listKeys("plain-a"), world.store.listKeys("plain-b")];

  it("writes, copies and deletes one object of its own, and leaves nothing behind", async () => {
    const before = contents();
    world.store.requests.reset();
    expect(await preflight(placesOf("plain"), "?canary=true")).toMatchObject({ ok: true, problems: [] });
    const { PutObject, CopyObject, DeleteObjects } = world.store.requests.byOperation();
    expect({ PutObject, CopyObject, DeleteObjects }).toEqual({
      PutObject: 1,
      // One onto itself tells whether the store keeps to conditions; so does a deletion.
      CopyObject: 2,
      DeleteObjects: expect.toSatisfy((count: number) => count >= 3 && count <= 6),
    });
    expect(contents()).toEqual(before);
  });

  const denied: readonly [what: string, match: RequestMatch, tells: RegExp][] = [
    ["writing", { operation: "PutObject" }, /cannot write to plain-a/],
    ["copying", { operation: "CopyObject" }, /cannot copy to plain-b/],
    ["deleting sources", { operation: "DeleteObjects", bucket: "plain-a" }, /cannot delete from plain-a/],
  ];
  for (const [what, match, tells] of denied) {
    it(`finds that ${what} is denied`, async () => {
      const before = contents();
      const fault = world.store.faults.add({ ...match, effect: { type: "access-denied" } });
      const report = await preflight(placesOf("plain"), "?canary=true");
      fault.remove();
      expect(report).toMatchObject({ ok: false, problems: [{ severity: "error", code: "canary_failed" }] });
      expect(report.problems[0].message).toMatch(tells);
      for (const key of world.store.listKeys("plain-a", "image/.tranship")) {
        expect(what, `${key} was left behind`).toBe("deleting sources");
        world.store.deleteObject("plain-a", key);
      }
      expect(contents()).toEqual(before);
    });
  }

  it("is sent by `tranship plan` only when asked for", async () => {
    const config = world.file("plan-config.json", world.config());
    const job = world.file("plan.json", placesOf("plain"));
    world.store.requests.reset();
    const without = await world.tranship(["plan", job, "--config", config, "--json"]);
    expect(world.writes()).toBe(0);
    const sent = await world.tranship(["plan", job, "--config", config, "--json", "--canary"]);
    expect(lastLine(without)).toMatchObject({ ok: true });
    expect(lastLine(sent)).toMatchObject({ ok: true });
    // An object, three copies, and for each of the three objects one deletion or two: see above.
    expect(world.writes()).toBeGreaterThanOrEqual(7);
    expect(world.writes()).toBeLessThanOrEqual(10);
  });
});
