/** `claimJob`: takes the lease of a job, so that exactly one process works on it. */

import type { JobParts } from "../job-parts.ts";
import { JobRun } from "./job-runner.ts";
import type { RunnerLog } from "./run-cause.ts";

/** Claims job `id` for `owner`; null when another process holds it or its state does not allow a run. */
export async function claimJob(
  parts: JobParts,
  id: string,
  owner: string,
  log: RunnerLog,
): Promise<JobRun | null> {
  const lease = await parts.ledger.claim(id, owner, parts.clock.now(), parts.leaseMs);
  if (lease === null) return null;
  const record = await parts.ledger.job(id);
  return record === null ? null : new JobRun(parts, record, lease, log);
}
