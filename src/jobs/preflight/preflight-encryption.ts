/** `encryptionProblems`: warns when copies will be encrypted differently from their sources, judged by a sample. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { Encryption, ObjectFacts, ObjectStore } from "../../ports/object-store.ts";
import type { PreflightProblem } from "./preflight-report.ts";

/**
 * Compares the encryption of the objects `seen` with the target bucket's default. A copy in one request gets the default
 * whatever its source has; keeping each object's own key would cost a HEAD request for each.
 */
export async function encryptionProblems(
  target: ObjectStore,
  spec: JobSpec,
  seen: readonly ObjectFacts[],
  signal: AbortSignal,
): Promise<PreflightProblem[]> {
  const underKms = seen.filter(({ encryption }) => encryption?.algorithm.startsWith("aws:kms"));
  if (underKms.length === 0) return [];
  const { defaultEncryption } = await target.bucketFacts(spec.target.bucket, signal);
  const other = underKms.filter(({ encryption }) => !isSame(encryption, defaultEncryption));
  if (other.length === 0) return [];
  const now =
    defaultEncryption === null ? "the store does not tell which that is" : `now ${textOf(defaultEncryption)}`;
  const message =
    `${other.length} of ${seen.length} objects looked at are encrypted with ${textOf(other[0]?.encryption ?? null)}, ` +
    `but copies get the target bucket's default encryption (${now}); set that first to keep it`;
  const examples = other.map(({ key }) => key);
  return [{ severity: "warning", code: "encryption_changes", message, examples }];
}

/** KMS keys are named by ARN, id or alias; names that cannot be compared count as equal. */
function isSame(source: Encryption | null, target: Encryption | null): boolean {
  if (source?.algorithm !== target?.algorithm) return false;
  const [one, another] = [source?.keyId ?? null, target?.keyId ?? null];
  if (one === null || another === null || one.includes("alias/") || another.includes("alias/")) return true;
  return one.endsWith(another) || another.endsWith(one);
}

function textOf(encryption: Encryption | null): string {
  if (encryption === null) return "an unknown key";
  return encryption.keyId === null
    ? encryption.algorithm
    : `${encryption.algorithm}, key ${encryption.keyId}`;
}
