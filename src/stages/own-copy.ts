/** Tells this job's own copies from others' objects, and so whether there is anything to copy. */

import type { BatchObject } from "../domain/batch.ts";
import { type CopyVerdict, copyVerdict, matchVerdict, type Seen } from "../domain/verdict.ts";
import { compareByChecksums } from "./compare-checksums.ts";
import type { CopyContext } from "./stage-contexts.ts";

/**
 * What to do about `object`, given what stands at its new key; at once, without a promise, where nothing stands there.
 * `mayBeOurs`: an earlier attempt may have copied it.
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
 * Whether what stands at the target is this job's own copy: by the ETag that was recorded, or, when an earlier attempt
 * may have been cut off before it could record one (`mayBeOurs`), by an ETag or a checksum equal to the source's. An
 * equal size proves nothing, whatever `verify` says: an object that cannot be told from another's is not ours. With
 * `skip-identical` another's copy is as good; one made in parts may have another ETag, so checksums are asked.
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
