/** SIGTERM in the middle of the work: what is under way ends, the process goes in time, and nothing is done twice. */

import { describe, expect, it } from "vitest";
import { hasEnded } from "../support/service.ts";
import { tapStore } from "../support/tapped-store.ts";
import { movedKey } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const OBJECTS = 2_000;
const STOP_MS = 10_000;
/** A loaded machine lets a process go later than its timer says. */
const BUSY_MS = 5_000;

worldForAll();

/** Without those by which a job finds out whether the store keeps to conditions. */
const copiesTo = (bucket: string) =>
  world.store.requests.count("CopyObject", bucket) -
  world.store.requests.errors("PreconditionFailed", bucket);

describe.concurrent("a service that is told to stop", { timeout: 180_000 }, () => {
  it("while it copies, lets every request end, exits in time with 0, and never copies anything twice", async () => {
    const keys = imageKeys(OBJECTS);
    const pair = world.buckets("stop", keys);
    world.store.faults.add({ bucket: "stop-b", effect: { type: "latency", delay: 20 } });
    const tap = await tapStore(world.store.url);
    const stores = { main: { ...world.main, endpoint: tap.url } };
    const config = { stores, progress: `sqlite:${world.directory}/stop.db` };
    try {
      const first = await world.serve(config);
      const come = world.store.faults.arrival({ operation: "CopyObject", bucket: "stop-b" }, 600);
      const job = { ...pair, limits: { concurrency: 32 }, delete: { when: "verified", after: "0s" } };
      const { body: submitted } = await first.call("POST", "/jobs", job);
      await come;
      const begun = performance.now();
      const ended = await first.kill("SIGTERM");
      expect(performance.now() - begun).toBeLessThan(STOP_MS);
      expect(ended, ended.stderr).toMatchObject({ end: 0 });
      expect(tap.cut()).toBe(0);
      const copies = copiesTo("stop-b");
      expect(copies).toBeLessThan(OBJECTS);
      expect(world.store.countObjects("stop-b")).toBe(copies);

      const second = await world.serve(config);
      const done = await second.poll(submitted.id, hasEnded);
      expect(done).toMatchObject({ state: "completed", objects: { planned: OBJECTS, moved: OBJECTS } });
      expect(copiesTo("stop-b")).toBe(OBJECTS);
      expect(done.requests.copy).toBe(OBJECTS);
      expect(world.store.listKeys("stop-b")).toEqual(keys.map(movedKey));
      expect(world.store.listKeys("stop-a")).toEqual([]);
      expect(await second.kill("SIGTERM")).toMatchObject({ end: 0 });
      expect(tap.cut()).toBe(0);
    } finally {
      await tap.close();
    }
  });

  for (const operation of ["CopyObject", "ListObjectsV2", "DeleteObjects"] as const) {
    it(`while a ${operation} hangs for ever, exits in time all the same, and the job goes on later`, async () => {
      const name = `hang-${operation.toLowerCase()}`;
      const keys = imageKeys(100);
      const pair = world.buckets(name, keys);
      const bucket = operation === "DeleteObjects" ? `${name}-a` : `${name}-b`;
      const hang = world.store.faults.add({ operation, bucket, times: 1, effect: { type: "hang" } });
      const config = { progress: `sqlite:${world.directory}/${name}.db` };
      const first = await world.serve(config);
      const come = world.store.faults.arrival({ operation, bucket });
      const job = { ...pair, batchSize: 50, delete: { when: "verified", after: "0s" } };
      const { body: submitted } = await first.call("POST", "/jobs", job);
      await come;
      const begun = performance.now();
      const ended = await first.kill("SIGTERM");
      expect(performance.now() - begun).toBeLessThan(STOP_MS + BUSY_MS);
      // 1 is the end by the hard stop: nothing is lost by it, for whatever counts is in the ledger.
      expect([0, 1], ended.stderr).toContain(ended.end);
      hang.remove();

      const second = await world.serve(config);
      const done = await second.poll(submitted.id, hasEnded);
      expect(done).toMatchObject({ state: "completed", objects: { moved: 100, exceptions: 0 } });
      expect(copiesTo(`${name}-b`)).toBeLessThanOrEqual(101);
      expect(world.store.listKeys(`${name}-b`)).toEqual(keys.map(movedKey));
      expect(world.store.listKeys(`${name}-a`)).toEqual([]);
      await second.kill("SIGTERM");
    });
  }
});
