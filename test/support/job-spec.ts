/** A job as the tests submit it: `image/` of one bucket to `avatar/` of another, with a default for all the rest. */

import type { JobSpec } from "../../src/domain/job-spec.ts";

/** All of the job written out, with what an operator gets who says nothing more than the two places and a name. */
export const AVATARS: JobSpec = {
  name: "avatars",
  source: { store: "main", bucket: "bucket-a", prefix: "image/" },
  target: { store: "main", bucket: "bucket-b", prefix: "avatar/" },
  inventory: { from: "bucket" },
  references: [],
  filter: { include: [], exclude: [], modifiedBefore: null },
  maxObjects: null,
  batchSize: 1000,
  limits: { concurrency: 128, requestsPerSecond: null, bytesPerSecond: null, rowsPerSecond: null },
  windows: null,
  guards: { database: null, maxExceptionRatio: null },
  onConflict: "fail",
  verify: "etag",
  delete: { when: "verified", after: "24h" },
  engine: "service",
};
