/** `clockStepReporter`: reports in the log and on the audit trail that the system clock was set while a job ran. */

import { stepText } from "../../conveyor/job-time.ts";
import type { JobParts } from "../job-parts.ts";
import type { RunnerLog } from "./run-cause.ts";

const KEPT = "sources are kept until their grace period is really over";

/**
 * Gives a function that reports a step (ms; negative: set back) for job `jobId`. An audit entry that the ledger does not take
 * is dropped; the wait itself does not depend on it.
 */
export function clockStepReporter(
  { ledger, clock }: Pick<JobParts, "ledger" | "clock">,
  jobId: string,
  log: RunnerLog,
): (stepMs: number) => void {
  return (stepMs) => {
    const detail = `${stepText(stepMs)}; ${KEPT}`;
    log.warn({ event: "clock_stepped", jobId, stepMs: Math.round(stepMs) }, detail);
    const event = { at: clock.now(), actor: "tranship", action: "clock", detail };
    void ledger.addAudit(jobId, event).catch(() => {});
  };
}
