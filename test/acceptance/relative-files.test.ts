/** One configuration is one ledger and one database, from whatever folder the command is given. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { spawnTranship } from "../support/service.ts";
import { lastLine, openSandboxWorld, type Pair, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { fillStore, IMAGES, imageKeys } from "../support/worlds/workbench.ts";

let world: SandboxWorld;
let pair: Pair;
beforeEach(async () => {
  world = await openSandboxWorld();
  pair = world.buckets("one");
});
afterEach(() => world.close());

it("a job is run from two folders: the second finds the first one's ledger and database", async () => {
  const app = new Sqlite(join(world.directory, "shop.db"));
  app.exec("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT); CREATE INDEX p ON images (path)");
  const relative = { progress: "sqlite:./kept.db", databases: { app: "sqlite:shop.db" } };
  const config = world.file("tranship.json", world.config(relative));
  const job = world.file("job.json", {
    ...{ ...pair, references: [IMAGES] },
    delete: { when: "verified", after: "0s" },
  });
  const ids: string[] = [];
  for (const [nth, folder] of ["here", "there"].entries()) {
    const keys = imageKeys(20, 20 * nth);
    fillStore(world.store, pair.source.bucket, keys);
    for (const key of keys) app.prepare("INSERT INTO images (path) VALUES (?)").run(key);
    const cwd = join(world.directory, folder);
    mkdirSync(cwd);
    const ended = await spawnTranship(["run", job, "--config", config, "--json"], { cwd }).ended;
    expect(ended, ended.stdout).toMatchObject({ end: 0 });
    ids.push(String((lastLine(ended) as { jobId: string }).jobId));
    expect(readdirSync(cwd)).toEqual([]);
  }
  expect(existsSync(join(world.directory, "kept.db"))).toBe(true);
  const ledger = new Sqlite(join(world.directory, "kept.db"), { readonly: true });
  const known = ledger.prepare<[], { id: string }>("SELECT id FROM tranship_jobs").all();
  expect(known.map(({ id }) => id).sort()).toEqual([...new Set(ids)].sort());
  const left = app
    .prepare<[], { n: number }>("SELECT COUNT(*) n FROM images WHERE path LIKE 'image/%'")
    .get();
  expect(left?.n).toBe(0);
  expect(known).toHaveLength(2);
  ledger.close();
  app.close();
});

it("a ledger that an earlier version has left in the working directory is named, not exchanged for an empty one", async () => {
  const config = world.file("tranship.json", world.config({ progress: "sqlite:./kept.db" }));
  const job = world.file("job.json", pair);
  const cwd = join(world.directory, "elsewhere");
  mkdirSync(cwd);
  writeFileSync(join(cwd, "kept.db"), "an earlier ledger");
  const ended = await spawnTranship(["run", job, "--config", config, "--json"], { cwd }).ended;
  expect(ended).toMatchObject({ end: 2 });
  expect(ended.stdout).toContain(join(cwd, "kept.db"));
  expect(existsSync(join(world.directory, "kept.db"))).toBe(false);
});
