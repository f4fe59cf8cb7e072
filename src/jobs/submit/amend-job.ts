/** `amendJob`: changes limits, windows and guards of a job. */

import { canonicalJson } from "../../domain/canonical-json.ts";
import { DomainError } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { JobState } from "../../domain/job-state.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { foundJob } from "../job-control.ts";
import type { JobParts } from "../job-parts.ts";
import { namesOf } from "./job-submission.ts";
import { patchedJobSpec } from "./parse-job-spec.ts";

/** Attempts while concurrent changes of the job make the compare-and-set fail. */
const MOST_ATTEMPTS = 10;

/** States in which no change has an effect; a failed job may be resumed, exceptions may be retried. */
const OVER: ReadonlySet<JobState> = new Set<JobState>(["completed", "cancelling", "cancelled"]);

/**
 * Amends job `id`; idempotent. Throws `not_found`, `invalid_input` with every fault, `state_conflict`, and
 * `precondition_failed` when the job's version is none of `ifVersions` (null: any), and `conflict` when it changed at each attempt.
 */
export async function amendJob(
  parts: JobParts,
  id: string,
  input: unknown,
  { ifVersions, actor }: { readonly ifVersions: readonly number[] | null; readonly actor: string },
): Promise<JobRecord> {
  const { ledger, clock } = parts;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const job = await foundJob(ledger, id);
    if (ifVersions !== null && !ifVersions.includes(job.version)) throw changedSince(job);
    const spec = patchedJobSpec(job.spec, input, namesOf(parts));
    if (OVER.has(job.state)) throw refusal(job);
    const detail = differences(job.spec, spec);
    if (detail === "") return job;
    const change = { jobId: id, spec, ifVersion: job.version, actor, detail, at: clock.now() };
    const amended = await ledger.amend(change);
    if (amended !== null) return amended;
  }
  throw new DomainError("conflict", `job ${id} keeps changing; look again`);
}

/** Gives `job` the limits, windows and guards of `spec`, unless it has ended or was changed since it was read. */
export async function takeSettings(
  parts: JobParts,
  job: JobRecord,
  spec: JobSpec,
  actor: string,
): Promise<void> {
  const detail = differences(job.spec, spec);
  if (detail === "" || OVER.has(job.state)) return;
  const at = parts.clock.now();
  await parts.ledger.amend({ jobId: job.id, spec, ifVersion: job.version, actor, detail, at });
}

function changedSince(job: JobRecord): DomainError {
  const message = `job ${job.id} has changed since you read it; its ETag is "${job.version}" now`;
  return new DomainError("precondition_failed", message);
}

function refusal(job: JobRecord): DomainError {
  return new DomainError("state_conflict", `cannot change job ${job.id}: it is ${job.state}`, {
    details: { state: job.state, action: "amend" },
  });
}

/** Each part that changed, before and after, for the audit trail. */
function differences(before: JobSpec, after: JobSpec): string {
  return (["limits", "windows", "guards"] as const)
    .filter((part) => canonicalJson(before[part]) !== canonicalJson(after[part]))
    .map((part) => `${part}: ${canonicalJson(before[part])} to ${canonicalJson(after[part])}`)
    .join("; ");
}
