/** Plans a job from a bucket within this process, which cannot be seen from outside. */

import { ServiceEngine } from "../../src/engines/service-engine.ts";
import { BucketGovernors } from "../../src/jobs/run/bucket-governors.ts";
import { jobContexts, settingsForLooking } from "../../src/jobs/run/job-context.ts";
import { parseJobSpec } from "../../src/jobs/submit/parse-job-spec.ts";
import type { Concurrency } from "../../src/pacing/concurrency.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { noRequests, type ObjectStore } from "../../src/ports/object-store.ts";
import { planBatches } from "../../src/stages/inventory/plan.ts";
import { luxonCalendar } from "../../src/stores/luxon-calendar.ts";
import { csvManifest } from "../../src/stores/manifest/csv-manifest.ts";
import { openConnections } from "../../src/stores/open-connections.ts";
import { systemClock } from "../../src/stores/system-clock.ts";
import { CREDENTIALS, REGION, SOURCE, TARGET } from "../worlds/store-process.ts";

export interface PlannedBucket {
  readonly planned: number;
  /** Of the keys, whatever their order. */
  readonly digest: number;
  readonly seconds: number;
  /** List requests. */
  readonly requests: number;
  /** CPU of this process. */
  readonly cpuSeconds: number;
}

/** Plans a job without references as the service would, recording nothing; with `maxObjects` in key order, by one stream. */
export async function planBucket(endpoint: string, maxObjects: number | null): Promise<PlannedBucket> {
  const connections = openConnections({
    stores: { main: { ...CREDENTIALS, endpoint, region: REGION, forcePathStyle: true } },
    databases: {},
  });
  const job = { source: SOURCE, target: TARGET, inventory: { from: "bucket" }, maxObjects };
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
    copyEngine: (store: ObjectStore, concurrency: Concurrency) => new ServiceEngine(store, concurrency),
    consignmentEngines: {},
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
  for await (const { objects } of planBatches(stages.plan, null)) {
    planned += objects.length;
    for (const { key } of objects)
      digest = (digest + Number(key.slice(SOURCE.prefix.length)) ** 2) % 1_000_003;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await connections.close();
  return { planned, digest, seconds, requests: requests.list, cpuSeconds: (user + system) / 1e6 };
}
