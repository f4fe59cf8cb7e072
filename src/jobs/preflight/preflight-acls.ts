/** `aclProblems`: warns when the ACLs of a few sampled objects grant access that copies will not keep. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { PreflightProblem } from "./preflight-report.ts";

/** Reads the ACLs of the objects `keys`; those that the store does not disclose make no problem. */
export async function aclProblems(
  source: ObjectStore,
  { source: { bucket } }: JobSpec,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<PreflightProblem[]> {
  const acls = await Promise.all(keys.map((key) => source.acl({ bucket, key }, signal)));
  const examples = keys.filter((_, i) => acls[i] === "shared");
  if (examples.length === 0) return [];
  const message =
    `${examples.length} of ${keys.length} objects looked at have an ACL that grants access to others than their owner, ` +
    "and copies are private: give that access by a policy of the target bucket, or set the ACLs again afterwards";
  return [{ severity: "warning", code: "acl_not_kept", message, examples }];
}
