/** `tranship run`: the summary, the exit codes, and the same command given again after it was cut short. */

import { describe, expect, it } from "vitest";
import {
  holdsBodyOf,
  lastLine,
  movedKey,
  type Pair,
  pathsOf,
  pause,
} from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const OBJECTS = 200;
const CONCURRENCY = 8;
const IMAGES = { database: "app", table: "images", key: "id", column: "path", set: { legacy: 0 } };

worldForAll();

/** A job of its own with its own buckets, rows and ledger: the command line that runs it. */
function scene(name: string, keys: readonly string[], job: Record<string, unknown> = {}) {
  const pair = world.buckets(name, keys);
  const { app, url } = world.table(name, keys);
  const config = world.file(
    `${name}-config.json`,
    world.config({ progress: `sqlite:${world.directory}/${name}-ledger.db`, databases: { app: url } }),
  );
  const file = world.file(`${name}.json`, {
    ...pair,
    references: [IMAGES],
    batchSize: 50,
    limits: { concurrency: CONCURRENCY },
    delete: { when: "verified", after: "0s" },
    ...job,
  });
  // Without those by which a job finds out whether the store keeps to conditions.
  const copies = () =>
    world.store.requests.count("CopyObject", pair.target.bucket) -
    world.store.requests.errors("PreconditionFailed", pair.target.bucket);
  return { pair, app, copies, args: ["run", file, "--config", config, "--json"] };
}

function slowCopies({ target }: Pair, delay = 30): void {
  world.store.faults.add({
    operation: "CopyObject",
    bucket: target.bucket,
    effect: { type: "latency", delay },
  });
}

function expectAllMoved({ pair, app }: ReturnType<typeof scene>, keys: readonly string[]): void {
  const after = keys.map(movedKey);
  expect(world.store.listKeys(pair.source.bucket)).toEqual([]);
  expect(world.store.listKeys(pair.target.bucket)).toEqual(after);
  for (const key of keys) {
    expect(holdsBodyOf(world.store, pair.target.bucket, movedKey(key), key), key).toBe(true);
  }
  expect(pathsOf(app)).toEqual(after);
}

describe.concurrent("tranship run", { timeout: 180_000 }, () => {
  it("ends with exit code 0, and its last line is a summary of exactly the promised fields", async () => {
    const keys = imageKeys(60);
    const run = scene("plain", keys);
    const ended = await world.tranship(run.args);
    expect(ended).toMatchObject({ end: 0 });
    const summary = lastLine(ended);
    expect(Object.keys(summary).sort()).toEqual(
      ["bytes", "jobId", "objects", "requests", "rows", "seconds", "state", "statements"].sort(),
    );
    expect(summary).toEqual({
      jobId: expect.any(String),
      state: "completed",
      objects: { planned: 60, moved: 60, skipped: 0, exceptions: 0 },
      rows: { updated: 60 },
      bytes: keys.reduce((sum, key) => sum + `body of ${key}`.length, 0),
      seconds: expect.any(Number),
      requests: {
        list: expect.any(Number),
        copy: 60,
        head: expect.any(Number),
        // One for each of two batches, and two for the key with which each may show what the store is.
        delete: expect.toSatisfy((count: number) => count >= 4 && count <= 6),
        other: expect.any(Number),
        throttled: 0,
      },
      statements: { app: expect.any(Number) },
    });
    expectAllMoved(run, keys);
  });

  it("ends with exit code 3 when an object could not go through", async () => {
    const keys = imageKeys(40);
    const run = scene("odd", keys);
    world.store.deleteObject(run.pair.source.bucket, keys[7] ?? "");
    const ended = await world.tranship(run.args);
    expect(ended).toMatchObject({ end: 3 });
    expect(lastLine(ended)).toMatchObject({
      state: "completed_with_exceptions",
      objects: { planned: 40, moved: 39, exceptions: 1 },
    });
    expect(pathsOf(run.app)[7]).toBe(keys[7]);
  });

  it("ends with exit code 1 when the target bucket vanishes on the way, and goes on when it is back", async () => {
    const keys = imageKeys(100);
    const run = scene("vanish", keys);
    const gone = world.store.faults.add({
      operation: ["CopyObject", "ListObjectsV2", "HeadObject"],
      bucket: run.pair.target.bucket,
      when: () => run.copies() > 70,
      effect: { type: "error", status: 404, code: "NoSuchBucket" },
    });
    const ended = await world.tranship(run.args);
    expect(ended).toMatchObject({ end: 1 });
    expect(lastLine(ended)).toMatchObject({ state: "paused" });
    const left = world.store.listKeys(run.pair.source.bucket);
    for (const key of keys.filter((one) => !left.includes(one))) {
      expect(holdsBodyOf(world.store, run.pair.target.bucket, movedKey(key), key), key).toBe(true);
    }
    gone.remove();
    const again = await world.tranship(run.args);
    expect(again, again.stdout).toMatchObject({ end: 0 });
    expectAllMoved(run, keys);
  });

  it("stops at Ctrl-C and, given again, goes on without repeating a single copy", async () => {
    const keys = imageKeys(OBJECTS);
    const run = scene("interrupted", keys);
    slowCopies(run.pair);
    const first = world.start(run.args);
    await world.store.faults.arrival({ operation: "CopyObject", bucket: run.pair.target.bucket }, 90);
    first.child.kill("SIGINT");
    const stopped = await first.ended;
    expect(stopped).toMatchObject({ end: 1 });
    expect(stopped.stderr).toContain("Give the same command again");
    expect(run.copies()).toBeLessThan(OBJECTS);
    expect(run.copies()).toBe(world.store.countObjects(run.pair.target.bucket));
    const again = await world.tranship(run.args);
    expect(again).toMatchObject({ end: 0 });
    expect(lastLine(again)).toMatchObject({ objects: { planned: OBJECTS, moved: OBJECTS } });
    expectAllMoved(run, keys);
    expect(run.copies()).toBe(OBJECTS);
  });

  it("given again right after kill -9, goes on and repeats at most what was under way", async () => {
    const keys = imageKeys(OBJECTS);
    const run = scene("killed", keys);
    slowCopies(run.pair);
    const first = world.start(run.args);
    await world.store.faults.arrival({ operation: "CopyObject", bucket: run.pair.target.bucket }, 90);
    first.child.kill("SIGKILL");
    expect(await first.ended).toMatchObject({ end: "SIGKILL" });
    const again = await world.tranship(run.args);
    expect(again, again.stderr).toMatchObject({ end: 0 });
    expectAllMoved(run, keys);
    expect(run.copies()).toBeLessThanOrEqual(OBJECTS + CONCURRENCY);
  });

  it("refuses to work on a job that another process works on", async () => {
    const keys = imageKeys(60);
    const run = scene("twice", keys);
    const hold = world.store.faults.hold({ operation: "CopyObject", bucket: run.pair.target.bucket });
    const first = world.start(run.args);
    await hold.arrival(1);
    await pause(1_500);
    const second = world.start(run.args);
    await Promise.race([second.ended, pause(13_000)]);
    const copiesHeld = run.copies();
    hold.release();
    expect(await first.ended).toMatchObject({ end: 0 });
    const ended = await second.ended;
    expect(copiesHeld).toBeLessThanOrEqual(CONCURRENCY);
    expect(ended.end).toBe(2);
    expect(lastLine(ended)).toMatchObject({ error: { code: "conflict" } });
    expectAllMoved(run, keys);
    expect(run.copies()).toBe(60);
  });
});
