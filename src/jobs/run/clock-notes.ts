/** Tells the operator, in the log and on the audit trail, that somebody set the clock while a job ran. */

import { stepText } from "../../conveyor/job-time.ts";
import type { JobParts } from "../job-parts.ts";
import type { RunnerLog } from "./run-cause.ts";

const KEPT = "sources are kept until their grace period is really over";

/** Notes steps of the clock for job `jobId`; a ledger that is away for a moment loses the note, and never the wait. */
export function clockNotes(
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
