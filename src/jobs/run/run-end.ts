/** In which state does a run leave its job? Pure answers, so that every one of them is a line in a test. */

import { DomainError, messageOf } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { JobState } from "../../domain/job-state.ts";
import { nestedPrefixFaults } from "../../domain/keys/nested-prefixes.ts";
import type { Tally } from "../../domain/tally.ts";
import type { JobRecord } from "../../ports/ledger.ts";

export interface RunEnd {
  readonly state: JobState;
  readonly reason: string | null;
}

/** Nothing is left to do: the sums must agree, and only a job without exceptions is completed. */
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

/** Stopped before the end: what the operator asked for last counts; without a wish of his it is taken up again. */
export function leftEnd(job: JobRecord | null): RunEnd {
  const state = job?.state ?? "queued";
  const reason = job?.reason ?? null;
  if (state === "pausing" || state === "paused") return { state: "paused", reason };
  if (state === "cancelling" || state === "cancelled") return { state: "cancelled", reason };
  return { state: "queued", reason: null };
}

/**
 * Ended by what did not pass. A store, a database, a manifest or the configuration is for an operator to put right;
 * nothing is wrong with the job, which goes on where it was. `failed` is for errors of our own.
 */
export function failureEnd(error: unknown): RunEnd {
  if (!(error instanceof DomainError)) {
    return { state: "failed", reason: `unexpected: ${messageOf(error)}` };
  }
  // A job that an earlier version should not have taken cannot be put right.
  if (error.code === "internal" || error.code === "invalid_input") {
    return { state: "failed", reason: error.message };
  }
  // This message says itself what is to be done.
  if (error.code === "store_credentials") {
    return { state: "paused", reason: `${error.message} Then resume the job.` };
  }
  const sentence = error.message.endsWith(".") ? error.message : `${error.message}.`;
  return { state: "paused", reason: `${sentence} Put that right, then resume the job.` };
}

/** Throws `invalid_input` where an earlier version has accepted a job that would rewrite rows twice. */
export function refuseUnsafe(spec: JobSpec): void {
  const [fault] = nestedPrefixFaults(spec);
  if (fault === undefined) return;
  throw new DomainError("invalid_input", `an earlier version accepted this job: ${fault.message}`);
}
