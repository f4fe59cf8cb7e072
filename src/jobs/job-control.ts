/** Actions of operators on jobs: pause, resume, cancel, retry, approve. All are idempotent. */

import { DomainError } from "../domain/errors.ts";
import { isFinished, isRunnable, type JobAction, type JobState, transitionFor } from "../domain/job-state.ts";
import type { JobRecord, Ledger } from "../ports/ledger.ts";
import type { JobParts } from "./job-parts.ts";
import { refuseOpposite, refuseUndone } from "./submit/opposite-jobs.ts";

/** Attempts while concurrent changes of the job's state make the compare-and-set fail. */
const MOST_ATTEMPTS = 10;

/**
 * Applies `action` to job `id` and gives the job after it. Throws `not_found`, `state_conflict` naming the state that does
 * not allow it, and `conflict` when the state changed at each attempt or another job stands in the way.
 */
export async function actOnJob(
  parts: JobParts,
  id: string,
  action: JobAction,
  actor: string,
): Promise<JobRecord> {
  const { ledger } = parts;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const job = await foundJob(ledger, id);
    const at = parts.clock.now();
    const answer = transitionFor(action, workedOnState(job, at));
    if (answer === null) throw refusal(job, action);
    if (action === "approve") return ledger.approve(id, actor, at);
    if (answer === "same") return job;
    if (isFinished(job.state)) {
      await refuseOpposite(parts, job.spec, job.id);
      await refuseUndone(parts, job);
    }
    if (action === "retry") await replanAll(ledger, job, at);
    const to = await stateOnTheWay(ledger, job, answer.go);
    const change = { jobId: id, from: job.state, to, action, actor, reason: null, at };
    const changed = await ledger.changeState(change);
    if (changed !== null) return changed;
  }
  throw new DomainError("conflict", `job ${id} keeps changing its state; look again`);
}

/** A job resumed while its runner still holds the lease is `queued`, yet counts as running: the runner must see the action. */
function workedOnState({ state, leaseUntil }: JobRecord, now: number): JobState {
  return state === "queued" && leaseUntil !== null && leaseUntil > now ? "running" : state;
}

/** The state on the way to `to`: a job whose copies an external engine is making has a runner recall them first. */
async function stateOnTheWay(ledger: Ledger, { id, spec }: JobRecord, to: JobState): Promise<JobState> {
  const stopping = { paused: "pausing", cancelled: "cancelling" } as const;
  if (spec.engine === "service" || (to !== "paused" && to !== "cancelled")) return to;
  const isOpen = (await ledger.consignments(id)).some(({ state }) => state === "open");
  return isOpen ? stopping[to] : to;
}

/** Job `id`; throws `not_found`. */
export async function foundJob(ledger: Ledger, id: string): Promise<JobRecord> {
  const job = await ledger.job(id);
  if (job === null) throw new DomainError("not_found", `there is no job ${JSON.stringify(id)}`);
  return job;
}

function refusal(job: JobRecord, action: JobAction): DomainError {
  const why = isFinished(job.state) ? "it has ended" : "its state does not allow it";
  return new DomainError("state_conflict", `cannot ${action} job ${job.id}: it is ${job.state}, and ${why}`, {
    details: { state: job.state, action },
  });
}

/** Puts all open exceptions into new batches; a crash in between leaves the rest to the next retry. */
async function replanAll(ledger: Ledger, job: JobRecord, at: number): Promise<void> {
  if (isRunnable(job.state)) return;
  while ((await ledger.replanExceptions(job.id, job.spec.batchSize, at)) > 0);
}
