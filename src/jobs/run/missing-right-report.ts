/** `missingRightReporter`: reports in the log and on the audit trail which database right a guard needs and lacks. */

import type { MissingRight } from "../../ports/database-health.ts";
import type { JobParts } from "../job-parts.ts";
import type { RunnerLog } from "./run-cause.ts";

/** Gives a function that reports a missing right for job `jobId`. An audit entry that the ledger does not take is dropped. */
export function missingRightReporter(
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
