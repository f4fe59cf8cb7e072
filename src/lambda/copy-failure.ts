/** What a failed `CopyObject` of a function means: an outcome of the object, or a failure of the task. */

import type { TaskOutcome } from "../engines/aws/task-outcome.ts";
import { notCopied } from "../stores/s3/copy/copy-result.ts";
import { hasKind, S3Fault } from "../stores/s3/s3-errors.ts";

export type CopyFailure =
  /** Depends on the object, and so is reported. */
  | { readonly kind: "outcome"; readonly outcome: TaskOutcome }
  /** A condition does not hold: an earlier attempt may have made the copy, so the target is to be looked at. */
  | { readonly kind: "look" }
  /** Passes by itself: to be repeated, in this invocation first. */
  | { readonly kind: "repeat" }
  /** Concerns every object (credentials, bucket, region, a fault of the program): repeating it at once does not help. */
  | { readonly kind: "temporary" };

/**
 * | fault | meaning |
 * |---|---|
 * | throttled, unavailable (5xx, no answer), 409 | repeat |
 * | 412 | look |
 * | 404 NoSuchKey | source_gone; with a condition on the target's ETag the target may be meant: precondition_failed |
 * | any other 404 of an object | precondition_failed |
 * | archived, denied, any other 4xx | failed |
 * | NoSuchBucket, credentials, wrong Region, errors that are not the store's | temporary |
 *
 * `replaces`: whether the copy is conditional on the target's ETag.
 */
export function copyFailure(error: unknown, replaces: boolean): CopyFailure {
  if (!(error instanceof S3Fault)) return { kind: "temporary" };
  if (isPassing(error)) return { kind: "repeat" };
  if (error.kind === "precondition_failed") return { kind: "look" };
  if (error.kind === "gone") {
    const isSource = error.vendorCode === "NoSuchKey" && !replaces;
    return { kind: "outcome", outcome: { kind: isSource ? "source_gone" : "precondition_failed" } };
  }
  if (error.status === null || !hasKind(error, "denied", "needs_restore", "refused", "not_implemented"))
    return { kind: "temporary" };
  const result = notCopied(error);
  return result.kind === "failed"
    ? { kind: "outcome", outcome: { kind: "failed", ...result.failure } }
    : { kind: "temporary" };
}

/** Whether the same request may succeed in a moment. */
export function isPassing(error: unknown): boolean {
  return hasKind(error, "throttled", "unavailable") || (error instanceof S3Fault && error.status === 409);
}
