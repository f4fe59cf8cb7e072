/** The result of a copy as the port has it: the outcome of one object, or an error that concerns every object. */

import type { ExceptionCode } from "../../../domain/batch.ts";
import type { CopyResult } from "../../../ports/object-store.ts";
import { objectFailure, S3Fault } from "../s3-errors.ts";

/** Refusals of a key; the source's key exists, so it is the target's. */
const TARGET_KEY_CODES: ReadonlyMap<string, ExceptionCode> = new Map([
  ["KeyTooLongError", "key_too_long"],
  ["InvalidObjectName", "key_invalid"],
  ["XMinioInvalidObjectName", "key_invalid"],
]);

/** Of a copy that was made. */
export function copied(etag: string): CopyResult {
  return { kind: "copied", etag };
}

/**
 * Of a copy that failed; `replaces`: it is conditional on the ETag of the target, whose absence is a 404 as well. Throws
 * errors that do not concern this object alone.
 */
export function notCopied(fault: unknown, replaces = false): CopyResult {
  if (!(fault instanceof S3Fault)) throw fault;
  if (fault.kind === "gone") return { kind: replaces ? "precondition_failed" : "source_gone" };
  if (fault.kind === "precondition_failed") return { kind: "precondition_failed" };
  const refused = TARGET_KEY_CODES.get(fault.vendorCode) ?? "copy_refused";
  const failure = objectFailure(fault, "access_denied", refused);
  return { kind: "failed", failure, ...(fault.createdEtag !== null && { createdEtag: fault.createdEtag }) };
}
