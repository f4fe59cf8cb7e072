/** Tells the operator, in the log and on the audit trail, which right a guard of his lacks. */

import type { MissingRight } from "../../ports/database-health.ts";
import type { JobParts } from "../job-parts.ts";
import type { RunnerLog } from "./run-cause.ts";

/** Notes what is missing for job `jobId`; a ledger that is away for a moment loses the note and nothing else. */
export function missingRightNotes(
  { ledger, clock }: Pick<JobParts, "ledger" | "clock">,
  jobId: string,
  log: RunnerLog,
): (database: string, missing: MissingRight) => void {
  return (database, { right, grant }) => {
    log.warn({ event: "guard_blind", jobId, database, right }, `a guard needs: ${grant}`);
    const event = { at: clock.now(), actor: "tranship", action: "guard", detail: grant };
    void ledger.addAudit(jobId, event).catch(() => {});
  };
}
