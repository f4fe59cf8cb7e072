/** Says what keeps a job from changing objects that others have put in a place since it looked there. */

import type { JobSpec } from "../domain/job-spec.ts";
import type { ObjectStore, WriteProtection } from "../ports/object-store.ts";
import type { Problem } from "./preflight-report.ts";

/** What deletions that only looks guard are kept to; see `DeletionSize`. */
const DELETION_GAP_MS = 50;

/**
 * What `store`, the source's, does by itself and what is left to looks. It is known once a copy and a deletion were
 * sent, which a canary does. Asks for the source bucket's facts where they matter.
 */
export async function protectionProblems(
  store: Pick<ObjectStore, "protection" | "bucketFacts">,
  spec: JobSpec,
  signal: AbortSignal | undefined,
): Promise<Problem[]> {
  const protection = store.protection();
  const copies = spec.onConflict === "overwrite" ? "store" : protection.copies;
  const deletions = spec.delete.when === "never" ? "store" : protection.deletions;
  const problems: Problem[] = [];
  if (copies === "unknown" || deletions === "unknown") problems.push(UNKNOWN);
  if (copies === "look") problems.push(copiesByLooks(protection));
  if (deletions === "look") {
    const { versioning } = await store.bucketFacts(spec.source.bucket, signal);
    problems.push(deletionsByLooks(versioning === "enabled"));
  }
  return problems;
}

const UNKNOWN: Problem = {
  severity: "warning",
  code: "conditions_unknown",
  message:
    "whether the store itself refuses to replace or delete an object that has changed is found out by the job's first copies " +
    "and deletions; until then, and where it does not, looks immediately before them are the guard; a canary tells now",
  examples: [],
};

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
