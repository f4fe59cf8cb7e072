/** `protectionProblems`: warns where a store ignores conditions, so that concurrent writes by others are guarded by reads only. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { WriteProtection } from "../../ports/object-store.ts";
import type { PreflightProblem } from "./preflight-report.ts";

/** Median time from the last read to the deletion that `DeletionSize` aims at, on stores that ignore conditions. */
const DELETION_GAP_MS = 50;

/** The protection of a store that no request has shown yet. */
export const UNKNOWN_PROTECTION: WriteProtection = {
  copies: "unknown",
  deletions: "unknown",
  copyGapMs: null,
};

/**
 * A warning for each of the job's kinds of writes that `protection` leaves to reads. `keepsVersions`: whether versioning of
 * the source bucket is enabled.
 */
export function protectionProblems(
  protection: WriteProtection,
  spec: JobSpec,
  keepsVersions: boolean,
): PreflightProblem[] {
  const problems: PreflightProblem[] = [];
  if (protection.copies === "look" && spec.onConflict !== "overwrite")
    problems.push(copiesByLooks(protection));
  if (protection.deletions === "look" && spec.delete.when !== "never") {
    problems.push(deletionsByLooks(keepsVersions));
  }
  return problems;
}

function copiesByLooks({ copyGapMs }: WriteProtection): PreflightProblem {
  const gap = copyGapMs === null ? "" : ` (${Math.ceil(copyGapMs)} ms here)`;
  const message =
    "the store ignores conditions on copies: each new key is looked at immediately before its copy, one request more an " +
    `object; what others put there between the look and the end of the copy${gap} is replaced`;
  return { severity: "warning", code: "copies_guarded_by_looks", message, examples: [] };
}

function deletionsByLooks(keepsVersions: boolean): PreflightProblem {
  const rest = keepsVersions
    ? "versioning of the source bucket is enabled, so that it is brought back"
    : "enable versioning of the source bucket, and it is brought back; without it that version is lost";
  const message =
    "the store does not compare the version before it deletes: sources are looked at immediately before, few a request; one that " +
    `is overwritten between the look and its deletion (${DELETION_GAP_MS} ms at the median) goes with it: ${rest}`;
  return { severity: "warning", code: "deletions_guarded_by_looks", message, examples: [] };
}
