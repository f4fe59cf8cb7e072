/** An operator's leave to work outside the windows, once. */

import { DomainError } from "../domain/errors.ts";
import { type JobAction, transitionFor } from "../domain/job-state.ts";
import { OffPeakWindow } from "../domain/windows/off-peak-window.ts";
import type { JobRecord } from "../ports/ledger.ts";
import { foundJob } from "./job-control.ts";
import type { JobParts } from "./job-parts.ts";

/** Where windows never open again, the leave ends after so long. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * Lets job `id` work outside its windows until they open next (then they bind it again), and records who said so. Done
 * before the job is resumed, so that it is in force when the job goes on. Repeating it is harmless. Throws `not_found`,
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
  const until = leaveUntil(parts, job, at);
  if (until === null || until === job.windowsIgnoredUntil || transitionFor("resume", job.state) === null)
    return;
  await parts.ledger.ignoreWindows(id, until, { actor, at });
}

/** The next opening; for windows that are open now, the one after they have shut. Null for a job without windows. */
function leaveUntil({ calendar }: JobParts, { spec }: JobRecord, at: number): number | null {
  if (spec.windows === null) return null;
  const window = new OffPeakWindow(spec.windows, spec.limits, calendar);
  let shutAt: number | null = at;
  // Limits may change several times before they shut.
  while (shutAt !== null && window.isOpen(shutAt)) shutAt = window.nextChange(shutAt);
  let opensAt = shutAt;
  while (opensAt !== null && !window.isOpen(opensAt)) opensAt = window.nextChange(opensAt);
  return opensAt ?? at + LONGEST_MS;
}
