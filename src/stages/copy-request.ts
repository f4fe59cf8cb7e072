/** The request for one copy, and the effect of its result on the object. */

import { type BatchObject, fail } from "../domain/batch.ts";
import type { CopyRequest, CopyResult } from "../ports/object-store.ts";
import { sourceAccess, targetKey } from "./bucket-access.ts";
import { headOne } from "./head-many.ts";
import { adoptVersion } from "./source-version.ts";
import type { SourceContext } from "./stage-contexts.ts";

/** What may be at the new key when the copy is made. */
export type Expected = Pick<CopyRequest, "onlyIfAbsent" | "replacing">;

export const ABSENT: Expected = { onlyIfAbsent: true };
export const ANYTHING: Expected = { onlyIfAbsent: false };

/** The request for the copy of `object`. */
export function copyRequest(
  context: Pick<SourceContext, "relocation">,
  object: BatchObject,
  expected: Expected,
): CopyRequest {
  const { source, target } = context.relocation;
  return {
    source: { bucket: source.bucket, key: object.key, etag: object.etag, size: object.size },
    target: { bucket: target.bucket, key: targetKey(context, object) },
    storageClass: object.storageClass,
    ...expected,
  };
}

/** A result after which source and target need not be checked again, as after a failed condition. */
export type FinalResult = Exclude<CopyResult, { readonly kind: "precondition_failed" }>;

/**
 * Applies `result` to `object`, of which `version` was copied. Gives `vanished` when the source is gone, and `changed` when
 * the new object's ETag shows that another version may have been copied: call {@link settleChanged} then.
 */
export function noteResult(
  object: BatchObject,
  version: BatchObject,
  result: FinalResult,
): "settled" | "vanished" | "changed" {
  if (result.kind === "source_gone") return "vanished";
  const made = result.kind === "copied" ? result.etag : result.createdEtag;
  if (made !== undefined) {
    adoptVersion(object, version);
    object.targetEtag = made;
  }
  if (result.kind === "failed") fail(object, result.failure.code, result.failure.message);
  else if (tellsOfChange(object, result.etag)) return "changed";
  return "settled";
}

/**
 * Some stores ignore the condition on the source's version (measured: Ceph 16 ignores `x-amz-copy-source-if-match`). An
 * unexpectedly different ETag indicates it: the source is read again, and a newer version adopted.
 */
export async function settleChanged(context: SourceContext, object: BatchObject): Promise<void> {
  const { object: now } = await headOne(sourceAccess(context), object.key);
  if (now === null || now.etag === object.etag) return;
  if (now.etag === object.targetEtag) adoptVersion(object, now);
  else fail(object, "source_changed", "the source changed while it was being copied");
}

/** A copy in one request keeps the ETag, unless its encryption differs or the source was changed. */
function tellsOfChange({ etag }: BatchObject, copiedEtag: string): boolean {
  return copiedEtag !== etag && !etag.includes("-") && !copiedEtag.includes("-");
}
