/** Measures planning from a bucket: by one listing stream, and by as many as are worth it, on the same store. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BucketGovernors } from "../src/jobs/run/bucket-governors.ts";
import { jobContexts, settingsForLooking } from "../src/jobs/run/job-context.ts";
import { parseJobSpec } from "../src/jobs/submit/parse-job-spec.ts";
import type { Ledger } from "../src/ports/ledger.ts";
import { noRequests } from "../src/ports/object-store.ts";
import { planBatches } from "../src/stages/inventory/plan.ts";
import { luxonCalendar } from "../src/stores/luxon-calendar.ts";
import { csvManifest } from "../src/stores/manifest/csv-manifest.ts";
import { openConnections } from "../src/stores/open-connections.ts";
import { systemClock } from "../src/stores/system-clock.ts";

export interface ListingSettings {
  /** Objects in the bucket. */
  readonly keys: number;
  /** Before each answer of the store. */
  readonly latencyMs: number;
}

export interface ListingMeasurement {
  /** Planned by each of the two, each once. */
  readonly keys: number;
  readonly sequentialSeconds: number;
  readonly parallelSeconds: number;
  /** How many times as fast the parallel one is. */
  readonly ratio: number;
  readonly requestsSequential: number;
  readonly requestsParallel: number;
  /** CPU of this process, in seconds. */
  readonly sequentialCpuSeconds: number;
  readonly parallelCpuSeconds: number;
  /** From the start to the first batch, in seconds. */
  readonly parallelFirstBatchSeconds: number;
}

const KEYS = { accessKeyId: "bench", secretAccessKey: "bench-secret" };
const BUCKET = "bucket-a";
const PREFIX = "image/";

/** Runs a store with `keys` numbered objects as a process of its own and plans them both ways; throws when they differ. */
export async function measureListing({ keys, latencyMs }: ListingSettings): Promise<ListingMeasurement> {
  const store = await startStore(keys, latencyMs);
  try {
    // The first run of any code is slow: both ways are warmed up by a part of the listing.
    await plan(store.url, 20_000);
    const sequential = await plan(store.url, keys);
    const parallel = await plan(store.url, null);
    if (sequential.planned !== keys || parallel.planned !== keys || sequential.digest !== parallel.digest) {
      throw new Error(`planned ${sequential.planned} and ${parallel.planned} of ${keys} keys, or others`);
    }
    return {
      keys,
      sequentialSeconds: sequential.seconds,
      parallelSeconds: parallel.seconds,
      ratio: sequential.seconds / parallel.seconds,
      requestsSequential: sequential.requests,
      requestsParallel: parallel.requests,
      sequentialCpuSeconds: sequential.cpuSeconds,
      parallelCpuSeconds: parallel.cpuSeconds,
      parallelFirstBatchSeconds: parallel.firstBatchSeconds,
    };
  } finally {
    store.process.kill("SIGTERM");
    await once(store.process, "exit");
  }
}

/** Plans a job without references as the service would, recording nothing; with `maxObjects` in key order. */
async function plan(endpoint: string, maxObjects: number | null) {
  const connections = openConnections({
    stores: { main: { ...KEYS, endpoint, region: "us-east-1", forcePathStyle: true } },
    databases: {},
  });
  const job = {
    source: { bucket: BUCKET, prefix: PREFIX },
    target: { bucket: "bucket-b", prefix: "avatar/" },
    inventory: { from: "bucket" },
    maxObjects,
  };
  const spec = parseJobSpec(job, { stores: connections.storeNames, databases: [] });
  const requests = noRequests();
  const parts = {
    clock: systemClock,
    calendar: luxonCalendar,
    leaseMs: 10_000,
    // Planning asks nothing of it.
    ledger: {} as Ledger,
    connections,
    governors: new BucketGovernors(),
    copyEngine: () => {
      throw new Error("planning copies nothing");
    },
    manifestReader: csvManifest,
  };
  const lease = { jobId: "", owner: "bench", token: 0 };
  const run = { signal: new AbortController().signal, confirmLease: () => Promise.resolve() };
  const settings = settingsForLooking(parts, spec, run.signal);
  const { stages } = jobContexts(parts, spec, lease, { requests, statements: {} }, { ...run, settings });
  const cpu = process.cpuUsage();
  const start = performance.now();
  let planned = 0;
  let digest = 0;
  let firstBatchMs = 0;
  for await (const { objects } of planBatches(stages.plan, null)) {
    if (planned === 0) firstBatchMs = performance.now() - start;
    planned += objects.length;
    for (const { key } of objects) digest = (digest + Number(key.slice(PREFIX.length)) ** 2) % 1_000_003;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await connections.close();
  return {
    ...{ planned, digest, seconds, requests: requests.list },
    ...{ cpuSeconds: (user + system) / 1e6, firstBatchSeconds: firstBatchMs / 1000 },
  };
}

async function startStore(keys: number, latencyMs: number): Promise<{ url: string; process: ChildProcess }> {
  const program = fileURLToPath(new URL("../src/sandbox-s3/serve-sandbox-store.js", import.meta.url));
  const options = [
    ...["--access-key-id", KEYS.accessKeyId, "--secret-access-key", KEYS.secretAccessKey],
    ...["--buckets", `${BUCKET},bucket-b`, "--latency-ms", String(latencyMs)],
    ...["--seed", `${BUCKET}/${PREFIX}:${keys}:10`],
  ];
  const child = spawn(process.execPath, ["--max-old-space-size=3000", program, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { url: (JSON.parse(line) as { url: string }).url, process: child };
  }
  throw new Error("the store did not start");
}
