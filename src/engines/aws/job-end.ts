/** How a consignment has ended, by the last state of its job. */

import type { JobDescriptor } from "@aws-sdk/client-s3-control";
import type { ConsignmentEnd } from "../../ports/consignment-engine.ts";
import { RECALLED, TOO_MANY_FAILED } from "./follow-job.ts";
import type { TakenReport } from "./take-in-report.ts";

/** `job`: null when S3 did not know it any more; `isOver`: no copy could begin any more when its end was seen. */
export function howItEnded(
  jobId: string,
  job: JobDescriptor | null,
  report: TakenReport,
  isOver: boolean,
): ConsignmentEnd {
  const name = `job ${jobId} of S3 Batch Operations`;
  if (job === null) return broken(`${name} does not exist (any more)`, report);
  // Tasks that were answered with `held` have succeeded, so a job whose time was over may be complete.
  const mayBeHeld = report.held > 0 || (report.isUnknown && isOver);
  if (job.Status === "Complete") return { kind: mayBeHeld ? "recalled" : "ended" };
  const said = job.StatusUpdateReason ?? "";
  if (job.Status === "Cancelled") {
    if (said === RECALLED) return { kind: "recalled" };
    if (said.startsWith(TOO_MANY_FAILED)) return broken(`${name} was cancelled: ${said}`, report);
    return broken(`${name} was cancelled from outside${said === "" ? "" : `: ${said}`}`, report);
  }
  const reasons = job.FailureReasons?.map(({ FailureCode, FailureReason }) =>
    [FailureCode, FailureReason].filter(Boolean).join(": "),
  );
  return broken(`${name} failed${reasons?.length ? `: ${reasons.join("; ")}` : ""}`, report);
}

function broken(reason: string, { failure }: TakenReport): ConsignmentEnd {
  const sample = failure === null ? "" : `; a failed task says: ${failure}`;
  return { kind: "broken", reason: `${reason}${sample}`.replaceAll(/[\p{Cc}\s]+/gu, " ").slice(0, 600) };
}
