/** Distinguishes this job's own copies from other objects at the target. */

import type { BatchObject } from "../domain/batch.ts";
import { type CopyVerdict, copyVerdict, matchVerdict, type Seen } from "../domain/verdict.ts";
import { compareByChecksums } from "./compare-checksums.ts";
import type { CopyContext } from "./stage-contexts.ts";

/**
 * Whether to copy `object`, given the `target` at its new key; without a promise when there is none. `mayBeOurs`: an earlier
 * attempt may have copied it.
 */
export function verdictOn(
  context: CopyContext,
  object: BatchObject,
  target: Seen | null,
  mayBeOurs: boolean,
): CopyVerdict | Promise<CopyVerdict> {
  const wasCopiedBefore = object.targetEtag !== null;
  const decide = (isOwnCopy: boolean) =>
    copyVerdict(object, target, context.spec.onConflict, { isOwnCopy, wasCopiedBefore });
  return target === null ? decide(false) : isOwnCopy(context, object, target, mayBeOurs).then(decide);
}

/**
 * Whether the object at the target is this job's own copy: by the recorded ETag, or, when an earlier attempt may have been
 * interrupted before recording it (`mayBeOurs`), by an ETag or a checksum equal to the source's. An equal size proves
 * nothing, also with `verify: size`. With `skip-identical` any identical object counts; a multipart copy may have another
 * ETag, so checksums are compared.
 */
async function isOwnCopy(
  context: CopyContext,
  object: BatchObject,
  target: Seen,
  mayBeOurs: boolean,
): Promise<boolean> {
  if (target.etag === object.targetEtag) return true;
  if (!mayBeOurs && context.spec.onConflict !== "skip-identical") return false;
  const verdict = matchVerdict(object, target, "etag");
  if (verdict !== "ask_checksums") return verdict === "same";
  return (await compareByChecksums(context, object)) === "same";
}
