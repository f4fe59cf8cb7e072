/** In which state does a run leave its job? Pure answers, so that every one of them is a line in a test. */

import type { Tally } from "../domain/batch.ts";
import { DomainError, hasCode, messageOf } from "../domain/errors.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { JobState } from "../domain/job-state.ts";
import { nestedPrefixFaults } from "../domain/nested-prefixes.ts";
import type { JobRecord } from "../ports/ledger.ts";

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

/** Ended by what no waiting cures. Credentials are for an operator to renew; nothing is wrong with the job. */
export function failureEnd(error: unknown): RunEnd {
  if (hasCode(error, "store_credentials")) {
    return { state: "paused", reason: `${error.message} Then resume the job.` };
  }
  const reason = error instanceof DomainError ? error.message : `unexpected: ${messageOf(error)}`;
  return { state: "failed", reason };
}

/** Throws `invalid_input` where an earlier version has accepted a job that would rewrite rows twice. */
export function refuseUnsafe(spec: JobSpec): void {
  const [fault] = nestedPrefixFaults(spec);
  if (fault === undefined) return;
  throw new DomainError("invalid_input", `an earlier version accepted this job: ${fault.message}`);
}
