/** `completionOf`, `leftEnd`, `failureEnd`: the state in which a run leaves its job. Pure. */

import { DomainError, messageOf } from "../../domain/errors.ts";
import type { JobState, Waiting } from "../../domain/job-state.ts";
import type { Tally } from "../../domain/tally.ts";
import type { JobRecord } from "../../ports/ledger.ts";

/** State of the job after the run, with its reason where there is one. */
export interface RunEnd {
  readonly state: JobState;
  readonly reason: string | null;
  /** What the next run is for. */
  readonly waiting?: Waiting;
}

/** The end of a job without work left: `failed` when the sums disagree, `completed` only without exceptions. */
export function completionOf(tally: Tally): RunEnd {
  const settled = tally.moved + tally.skipped + tally.exceptions;
  if (settled !== tally.planned) {
    const reason = `the sums do not agree: ${tally.planned} objects planned, ${settled} settled`;
    return { state: "failed", reason };
  }
  if (tally.exceptions > 0) return { state: "completed_with_exceptions", reason: null };
  if (tally.planned > 0) return { state: "completed", reason: null };
  return { state: "completed", reason: "nothing to do: the inventory named no object" };
}

/** The end of a run that was stopped: what the operator asked for last; `queued` without such a request. */
export function leftEnd(job: JobRecord | null): RunEnd {
  const state = job?.state ?? "queued";
  const reason = job?.reason ?? null;
  if (state === "pausing" || state === "paused") return { state: "paused", reason };
  if (state === "cancelling" || state === "cancelled") return { state: "cancelled", reason };
  return { state: "queued", reason: null };
}

/**
 * The end of a run by an error that retries did not overcome. Errors of a store, a database, a manifest or the
 * configuration pause the job, which continues once they are corrected. `failed` is for errors of the program.
 */
export function failureEnd(error: unknown): RunEnd {
  if (!(error instanceof DomainError)) {
    return { state: "failed", reason: `unexpected: ${messageOf(error)}` };
  }
  // A job that an earlier version should not have accepted cannot be corrected.
  if (error.code === "internal" || error.code === "invalid_input") {
    return { state: "failed", reason: error.message };
  }
  // This message already says what to do.
  if (error.code === "store_credentials") {
    return { state: "paused", reason: `${error.message} Then resume the job.` };
  }
  const sentence = error.message.endsWith(".") ? error.message : `${error.message}.`;
  return { state: "paused", reason: `${sentence} Put that right, then resume the job.` };
}
