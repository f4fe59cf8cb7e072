/** Opposite jobs: pairs that must not both be unfinished, since one deletes as its source what the other has as its target. */

import { DomainError } from "../../domain/errors.ts";
import type { JobSpec, ObjectLocation } from "../../domain/job-spec.ts";
import { isFinished, JOB_STATES } from "../../domain/job-state.ts";
import { prefixesOverlap } from "../../domain/keys/key-mapping.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { noRequests } from "../../ports/object-store.ts";
import type { JobParts } from "../job-parts.ts";

/** Whether two locations can hold the same keys; stores with different names may be one endpoint. */
export function overlapOf(parts: JobParts): (a: ObjectLocation, b: ObjectLocation) => boolean {
  const endpointOf = (name: string) => parts.connections.store(name, noRequests()).endpoint;
  return (a, b) =>
    a.bucket === b.bucket &&
    prefixesOverlap(a.prefix, b.prefix) &&
    (a.store === b.store || endpointOf(a.store) === endpointOf(b.store));
}

/** The oldest unfinished job, other than `exceptId`, whose source overlaps the target of `spec` or the other way round. */
export async function oppositeJob(
  parts: JobParts,
  spec: JobSpec,
  exceptId: string | null,
): Promise<JobRecord | null> {
  const overlap = overlapOf(parts);
  const known = new Set(parts.connections.storeNames);
  let oldest: JobRecord | null = null;
  for await (const job of unfinishedJobs(parts)) {
    // A store that is no longer configured cannot be reached by that job either.
    if (job.id === exceptId || !known.has(job.spec.source.store) || !known.has(job.spec.target.store))
      continue;
    if (overlap(job.spec.source, spec.target) || overlap(job.spec.target, spec.source)) oldest = job;
  }
  return oldest;
}

/** Throws `conflict` when {@link oppositeJob} finds a job. */
export async function refuseOpposite(parts: JobParts, spec: JobSpec, exceptId: string | null): Promise<void> {
  const other = await oppositeJob(parts, spec, exceptId);
  if (other !== null) throw oppositeError(other);
}

/**
 * Throws `conflict` when a later job has moved objects from the target of `job` back to its source: resumed, `job` would
 * find them there and move them again.
 */
export async function refuseUndone(parts: JobParts, job: JobRecord): Promise<void> {
  const overlap = overlapOf(parts);
  const known = new Set(parts.connections.storeNames);
  const { source, target } = job.spec;
  for await (const later of jobsAfter(parts, job.id)) {
    const { spec } = later;
    if (!known.has(spec.source.store) || !known.has(spec.target.store)) continue;
    if (!overlap(spec.source, target) || !overlap(spec.target, source)) continue;
    const message =
      `the later job ${later.id} (${later.name}) moves objects of this job back to where they came from; submit a new job ` +
      "for what is to be moved";
    throw new DomainError("conflict", message, { details: { jobId: later.id } });
  }
}

/** The `conflict` error that names `other`. */
export function oppositeError(other: JobRecord): DomainError {
  const message =
    `the unfinished job ${other.id} (${other.name}) moves objects out of this job's target or into its source; ` +
    "let it end or cancel it first";
  return new DomainError("conflict", message, { details: { jobId: other.id } });
}

async function* unfinishedJobs({ ledger }: JobParts): AsyncGenerator<JobRecord> {
  const states = JOB_STATES.filter((state) => !isFinished(state));
  for (let cursor: string | null = null; ; ) {
    const page = await ledger.jobs({ states, limit: 100, cursor });
    yield* page.items;
    if (page.next === null) return;
    cursor = page.next;
  }
}

/** Jobs that were submitted after job `id`, newest first: ids are in the order of submission. */
async function* jobsAfter({ ledger }: JobParts, id: string): AsyncGenerator<JobRecord> {
  for (let cursor: string | null = null; ; ) {
    const page = await ledger.jobs({ states: null, limit: 100, cursor });
    for (const job of page.items) {
      if (job.id <= id) return;
      yield job;
    }
    if (page.next === null) return;
    cursor = page.next;
  }
}
