/** Keeps, completes or replaces a copy that an earlier attempt of this job has made. */

import { type BatchObject, fail } from "../domain/batch.ts";
import { isAsCopied, type SeenVersion } from "../domain/verdict.ts";
import { sourceAccess, targetAccess, targetKey } from "./bucket-access.ts";
import { ABSENT, copyRequest, noteResult, settleChanged } from "./copy-request.ts";
import { headOne } from "./head-many.ts";
import { atVersion } from "./source-version.ts";
import type { CopyContext } from "./stage-contexts.ts";

const ADOPTED =
  "the source has changed since; what stands at the new key may be another's object that was taken as identical " +
  "(skip-identical) and is not replaced: remove it, then retry";

/**
 * Handles this job's own `copy` of an earlier attempt. It is kept, unless the source was overwritten or its metadata changed
 * since: then the newer version replaces it, which is the purpose of a retry after `source_changed`. It is also kept when
 * the source is gone: the copy is the only one left, and rows must name it.
 */
export async function renewOwnCopy(
  context: CopyContext,
  object: BatchObject,
  copy: SeenVersion,
): Promise<void> {
  const { object: now, failure } = await headOne(sourceAccess(context), object.key);
  if (failure !== null) fail(object, failure.code, failure.message);
  if (failure !== null || now === null) return;
  if (isAsCopied(object, now, copy)) {
    await finishOwnCopy(context, object);
    return;
  }
  if (context.spec.onConflict === "skip-identical") {
    fail(object, "target_exists", ADOPTED);
    return;
  }
  // The state of the target read for the batch may be hours old.
  const { object: standing, failure: untold } = await headOne(
    targetAccess(context),
    targetKey(context, object),
  );
  if (untold !== null) fail(object, untold.code, untold.message);
  else if (standing !== null && standing.etag !== object.targetEtag) {
    fail(object, "target_changed", "the object at the new key is no longer this job's copy");
  }
  if (object.outcome.kind !== "pending") return;
  const newer = atVersion(object, now);
  const expected = standing === null ? ABSENT : { onlyIfAbsent: false, replacing: standing.etag };
  const result = await context.source.copy(copyRequest(context, newer, expected), context.signal);
  if (result.kind !== "precondition_failed") {
    if (noteResult(object, newer, result) === "changed") await settleChanged(context, object);
    return;
  }
  fail(
    object,
    "source_changed",
    "the source changed again, or an object appeared at the new key, while it was being copied",
  );
}

/**
 * Completes a copy of an earlier attempt that was interrupted after the object was made. A source that is gone or has
 * changed meanwhile is handled by the later stages.
 */
export async function finishOwnCopy(context: CopyContext, object: BatchObject): Promise<void> {
  const { source, signal } = context;
  // Without "-" the ETag is not of a multipart copy, and a copy in a single request is atomic.
  if (!object.targetEtag?.includes("-")) return;
  const result = await source.finishCopy(copyRequest(context, object, ABSENT), object.targetEtag, signal);
  if (result.kind === "failed") fail(object, result.failure.code, result.failure.message);
  if (result.kind === "precondition_failed") {
    fail(object, "target_changed", "the object at the new key is no longer this job's copy");
  }
}
