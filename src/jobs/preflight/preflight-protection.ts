/** Says what keeps a job from changing objects that others have put in a place since it looked there. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { WriteProtection } from "../../ports/object-store.ts";
import type { Problem } from "./preflight-report.ts";

/** What deletions that only looks guard are kept to; see `DeletionSize`. */
const DELETION_GAP_MS = 50;

/** Of a store that was not asked anything. */
export const UNKNOWN_PROTECTION: WriteProtection = {
  copies: "unknown",
  deletions: "unknown",
  copyGapMs: null,
};

/**
 * What of `protection` is left to looks where the job needs more, as warnings. `keepsVersions`: whether versioning of the
 * source bucket is enabled.
 */
export function protectionProblems(
  protection: WriteProtection,
  spec: JobSpec,
  keepsVersions: boolean,
): Problem[] {
  const problems: Problem[] = [];
  if (protection.copies === "look" && spec.onConflict !== "overwrite")
    problems.push(copiesByLooks(protection));
  if (protection.deletions === "look" && spec.delete.when !== "never") {
    problems.push(deletionsByLooks(keepsVersions));
  }
  return problems;
}

function copiesByLooks({ copyGapMs }: WriteProtection): Problem {
  const gap = copyGapMs === null ? "" : ` (${Math.ceil(copyGapMs)} ms here)`;
  const message =
    "the store ignores conditions on copies: each new key is looked at immediately before its copy, one request more an " +
    `object; what others put there between the look and the end of the copy${gap} is replaced`;
  return { severity: "warning", code: "copies_guarded_by_looks", message, examples: [] };
}

function deletionsByLooks(keepsVersions: boolean): Problem {
  const rest = keepsVersions
    ? "versioning of the source bucket is enabled, so that it is brought back"
    : "enable versioning of the source bucket, and it is brought back; without it that version is lost";
  const message =
    "the store does not compare the version before it deletes: sources are looked at immediately before, few a request; one that " +
    `is overwritten between the look and its deletion (${DELETION_GAP_MS} ms at the median) goes with it: ${rest}`;
  return { severity: "warning", code: "deletions_guarded_by_looks", message, examples: [] };
}
