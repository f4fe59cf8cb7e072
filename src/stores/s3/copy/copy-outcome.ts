/** What became of a copy, for the caller: an outcome of one object, or a fault that concerns them all. */

import type { ExceptionCode } from "../../../domain/batch.ts";
import type { CopyResult } from "../../../ports/object-store.ts";
import { objectFailure, S3Fault } from "../s3-errors.ts";

/** The source's key exists, so what a copy's key is refused for is the target's. */
const TARGET_KEY_CODES: ReadonlyMap<string, ExceptionCode> = new Map([
  ["KeyTooLongError", "key_too_long"],
  ["InvalidObjectName", "key_invalid"],
  ["XMinioInvalidObjectName", "key_invalid"],
]);

/** The outcome of a copy that was made. */
export function copied(etag: string): CopyResult {
  return { kind: "copied", etag };
}

/** The outcomes that are about this object; throws what concerns them all. */
export function notCopied(fault: unknown): CopyResult {
  if (!(fault instanceof S3Fault)) throw fault;
  if (fault.kind === "gone") return { kind: "source_gone" };
  if (fault.kind === "precondition_failed") return { kind: "precondition_failed" };
  const refused = TARGET_KEY_CODES.get(fault.vendorCode) ?? "copy_refused";
  const failure = objectFailure(fault, "access_denied", refused);
  return { kind: "failed", failure, ...(fault.standing !== null && { standing: fault.standing }) };
}
