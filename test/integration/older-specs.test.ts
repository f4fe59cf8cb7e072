/** Jobs that an older version stored, whose specs lack what has come since: they run, and are shown and changed. */

import { expect, it } from "vitest";
import type { JobSpec } from "../../src/domain/job-spec.ts";
import { AVATARS } from "../support/job-spec.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { IMAGES, imageKeys } from "../support/worlds/workbench.ts";

benchForEach({ objects: imageKeys(5), rows: imageKeys(5) });

it("guards without a limit for lock waits", async () => {
  const older = {
    ...{ ...AVATARS, delete: { when: "verified", after: "0s" } },
    references: [{ ...IMAGES, set: {}, urlPrefix: null, where: {}, keepUpdatedAt: true }],
    guards: {
      database: { maxThreadsRunning: 40, maxReplicaLagSeconds: null, onUnknown: "hold" },
      maxExceptionRatio: null,
    },
  } as unknown as JobSpec;
  const request = { spec: older, idempotencyKey: null, actor: "v0", at: Date.now() };
  const { job } = await bench.ledger.createJob(request);
  const change = { guards: { maxExceptionRatio: 0.5 } };
  await bench.jobs.amend(job.id, change, { ifVersions: null, actor: "ann" });
  expect((await bench.jobs.get(job.id)).spec.guards).toMatchObject({ database: { maxThreadsRunning: 40 } });
  expect(await bench.work(job.id)).toMatchObject({ state: "completed", objects: { moved: 5 } });
});

it("prefixes of which one begins with the other: the job ends before it has changed anything, and says why", async () => {
  const older: JobSpec = {
    ...{ ...AVATARS, delete: { when: "verified", after: "0s" } },
    target: { store: "main", bucket: "bucket-b", prefix: "image/v2/" },
    references: [{ ...IMAGES, set: {}, urlPrefix: null, where: {}, keepUpdatedAt: true }],
  };
  const request = { spec: older, idempotencyKey: null, actor: "v0", at: Date.now() };
  const { job } = await bench.ledger.createJob(request);
  const change = { limits: { concurrency: 7 } };
  await bench.jobs.amend(job.id, change, { ifVersions: null, actor: "ann" });
  const end = await bench.work(job.id);
  expect(end).toMatchObject({ state: "failed", reason: expect.stringContaining('"image/v2/" begin alike') });
  expect(bench.paths()).toEqual(imageKeys(5));
  expect(bench.store.listKeys("bucket-a")).toEqual(imageKeys(5));
  expect(bench.store.listKeys("bucket-b")).toEqual([]);
});
