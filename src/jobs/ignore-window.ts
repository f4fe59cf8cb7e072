/** `ignoreWindow`: lets an operator resume a job outside its windows, until they next open. */

import { DomainError } from "../domain/errors.ts";
import { type JobAction, transitionFor } from "../domain/job-state.ts";
import { OffPeakWindow } from "../domain/windows/off-peak-window.ts";
import type { JobRecord } from "../ports/ledger.ts";
import { foundJob } from "./job-control.ts";
import type { JobParts } from "./job-parts.ts";

/** Duration of the permission where the windows never open again. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * Lets job `id` work outside its windows until they next open (then they apply again), and records `actor` in the audit
 * trail. Call it before the job is resumed, so that it is in force when the job continues. Idempotent. Throws `not_found`,
 * `invalid_input` for an action other than `resume`; nothing is recorded where the job cannot be resumed.
 */
export async function ignoreWindow(
  parts: JobParts,
  id: string,
  action: JobAction,
  actor: string,
): Promise<void> {
  if (action !== "resume") {
    const message = `ignoreWindow goes with resume, not with ${action}`;
    throw new DomainError("invalid_input", message, { faults: [{ pointer: "/ignoreWindow", message }] });
  }
  const job = await foundJob(parts.ledger, id);
  const at = parts.clock.now();
  const until = ignoredUntil(parts, job, at);
  if (until === null || until === job.windowsIgnoredUntil || transitionFor("resume", job.state) === null)
    return;
  await parts.ledger.ignoreWindows(id, until, { actor, at });
}

/** The next opening; for windows that are open now, the opening after they close. Null for a job without windows. */
function ignoredUntil({ calendar }: JobParts, { spec }: JobRecord, at: number): number | null {
  if (spec.windows === null) return null;
  const window = new OffPeakWindow(spec.windows, spec.limits, calendar);
  let shutAt: number | null = at;
  // A change may be of limits only, several times before the windows close.
  while (shutAt !== null && window.isOpen(shutAt)) shutAt = window.nextChange(shutAt);
  let opensAt = shutAt;
  while (opensAt !== null && !window.isOpen(opensAt)) opensAt = window.nextChange(opensAt);
  return opensAt ?? at + LONGEST_MS;
}
