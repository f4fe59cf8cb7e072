/** What a job counts of its requests is true to within what was under way, however often it was killed. */

import { expect, inject, it } from "vitest";
import { startSandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";
import { createDatabase } from "../support/servers/mariadb.ts";
import { hasEnded, startService, temporaryDirectory } from "../support/service.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

const KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key" };
const OBJECTS = 6000;
const CONCURRENCY = 32;
const KILLS = [900, 2500, 4300];

it.each(["sqlite", "mariadb"])(
  "with a ledger in %s: the counts are the store's, though kill -9 came three times in mid-copy",
  async (kind) => {
    const directory = temporaryDirectory();
    const ledger = await createDatabase(inject("mariadbUrl"));
    const store = await startSandboxStore({ ...KEYS, buckets: [{ name: "bucket-a" }, { name: "bucket-b" }] });
    fillStore(store, "bucket-a", imageKeys(OBJECTS));
    store.faults.latencyMs = 10;
    const config = {
      progress: kind === "sqlite" ? `sqlite:${directory.path}/ledger.db` : ledger.url,
      // With the heartbeats of the longer lease, one a second, thousands would be missing; the other ledger must wait for it.
      leaseSeconds: kind === "sqlite" ? 10 : 2,
      stores: { main: { ...KEYS, endpoint: store.url, region: "us-east-1", forcePathStyle: true } },
      logLevel: "warn",
    };
    const job = {
      source: { bucket: "bucket-a", prefix: "image/" },
      target: { bucket: "bucket-b", prefix: "avatar/" },
      limits: { concurrency: CONCURRENCY },
      batchSize: 500,
      delete: { when: "never" },
    };
    try {
      let service = await startService(config, directory.path);
      const { body } = await service.call("POST", "/jobs", job);
      // What the submission itself looked at is not the job's.
      const before = store.requests.count("ListObjectsV2");
      for (const kill of KILLS) {
        await store.faults.arrival({
          operation: "CopyObject",
          when: () => store.countObjects("bucket-b") >= kill,
        });
        await service.kill("SIGKILL");
        service = await startService(config, directory.path);
      }
      const done = await service.poll(body.id, hasEnded, 90_000);
      await service.kill("SIGTERM");
      expect(done).toMatchObject({ state: "completed", objects: { moved: OBJECTS } });
      const copies = store.requests.count("CopyObject");
      expect(copies).toBeGreaterThanOrEqual(OBJECTS);
      // Each kill: one round that was not written down yet, and one that was under way.
      expect(copies - done.requests.copy).toBeLessThanOrEqual(KILLS.length * 2 * CONCURRENCY);
      expect(done.requests.copy).toBeLessThanOrEqual(copies);
      expect(Math.abs(store.requests.count("ListObjectsV2") - before - done.requests.list)).toBeLessThan(
        10 * KILLS.length,
      );
    } finally {
      await store.close();
      await ledger.drop();
      directory.remove();
    }
  },
  180_000,
);
