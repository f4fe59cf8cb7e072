/** One copy: what is asked of the store, and what its answer makes of the object. */

import { type BatchObject, fail } from "../domain/batch.ts";
import type { CopyRequest, CopyResult } from "../ports/object-store.ts";
import { headOne } from "./head-many.ts";
import { adoptVersion } from "./source-version.ts";
import { type StageContext, sourceAccess, targetKey } from "./stage-context.ts";

/** What may stand at the new key when the copy is made. */
export type Expected = Pick<CopyRequest, "onlyIfAbsent" | "replacing">;

export const ABSENT: Expected = { onlyIfAbsent: true };
export const ANYTHING: Expected = { onlyIfAbsent: false };

/** Asks for the copy of `object`; `free` is called when its place is free for another request. */
export function requestCopy(
  context: StageContext,
  object: BatchObject,
  expected: Expected,
  free: () => void = () => {},
) {
  // The place is kept for the look at the source that follows an unexpected ETag.
  const onAnswered = (etag: string) => {
    if (!tellsOfChange(object, etag)) free();
  };
  return context.source.copy(copyRequest(context, object, expected, onAnswered), context.signal);
}

/** The request for the copy of `object`. */
export function copyRequest(
  context: StageContext,
  object: BatchObject,
  expected: Expected,
  onAnswered: (etag: string) => void = () => {},
): CopyRequest {
  const { spec } = context;
  return {
    source: { bucket: spec.source.bucket, key: object.key, etag: object.etag, size: object.size },
    target: { bucket: spec.target.bucket, key: targetKey(context, object) },
    storageClass: object.storageClass,
    ...expected,
    onAnswered,
  };
}

/** What an answered copy makes of `object`. At once unless the source has to be looked at: every copy comes by here. */
export function settleResult(
  context: StageContext,
  object: BatchObject,
  version: BatchObject,
  result: Exclude<CopyResult, { readonly kind: "precondition_failed" }>,
): "settled" | "vanished" | Promise<"settled"> {
  if (result.kind === "source_gone") return "vanished";
  const made = result.kind === "copied" ? result.etag : result.standing;
  if (made !== undefined) {
    adoptVersion(object, version);
    object.targetEtag = made;
  }
  if (result.kind === "failed") fail(object, result.failure.code, result.failure.message);
  else if (tellsOfChange(object, result.etag)) return settleChanged(context, object, result.etag);
  return "settled";
}

/**
 * Some stores ignore the pin to the planned version (measured: Ceph 16 ignores `x-amz-copy-source-if-match`). An ETag
 * that should have stayed and did not is the sign: the source is looked at again, and a newer version adopted.
 */
async function settleChanged(
  context: StageContext,
  object: BatchObject,
  copiedEtag: string,
): Promise<"settled"> {
  const { object: now } = await headOne(sourceAccess(context), object.key);
  if (now === null || now.etag === object.etag) return "settled";
  if (now.etag === copiedEtag) adoptVersion(object, now);
  else fail(object, "source_changed", "the source changed while it was being copied");
  return "settled";
}

/** ETags of single copies stay, unless the object is encrypted otherwise or was changed. */
function tellsOfChange({ etag }: BatchObject, copiedEtag: string): boolean {
  return copiedEtag !== etag && !etag.includes("-") && !copiedEtag.includes("-");
}
