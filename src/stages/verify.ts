/** The verify stage: compares the object now at the new key with the source; results of the copy stage are not trusted. */

import { type Batch, type BatchObject, fail, pending } from "../domain/batch.ts";
import { checksumVerdict, matchVerdict } from "../domain/verdict.ts";
import type { ListedObject } from "../ports/object-store.ts";
import { targetAccess, targetKeys } from "./bucket-access.ts";
import { headBothSides } from "./compare-checksums.ts";
import { headMany } from "./head-many.ts";
import type { VerifyContext } from "./stage-contexts.ts";

/** Verifies the copies of the pending objects of `batch` and sets `targetEtag` to the verified ETag. */
export async function verifyBatch(context: VerifyContext, batch: Batch): Promise<void> {
  const { verify, concurrency } = context;
  const objects = pending(batch);
  const keys = targetKeys(context, objects);
  const { found, failed } = await headMany(targetAccess(context), keys);
  const undecided: { object: BatchObject; target: ListedObject }[] = [];
  for (const [at, object] of objects.entries()) {
    const key = keys[at] ?? "";
    const target = found.get(key);
    const failure = failed.get(key);
    if (failure !== undefined) fail(object, failure.code, failure.message);
    if (target === undefined) {
      fail(object, "target_lost", "the copy is not at the new key");
      continue;
    }
    const verdict = matchVerdict(object, target, verify);
    if (verdict === "same" && isReplaced(object, target)) {
      fail(object, "target_changed", "another object has replaced the copy before it was verified");
    } else if (verdict === "same") object.targetEtag = target.etag;
    else if (verdict === "different") {
      fail(object, "verify_mismatch", `the copy has ${target.size} bytes, the source ${object.size}`);
    } else undecided.push({ object, target });
  }
  await concurrency.each(undecided, ({ object, target }) => compareChecksums(context, object, target));
}

/** Whether the object at the target is not the one recorded by the copy stage; equal sizes do not prove identity. */
function isReplaced({ targetEtag }: BatchObject, target: ListedObject): boolean {
  return targetEtag !== null && targetEtag !== target.etag;
}

async function compareChecksums(
  context: VerifyContext,
  object: BatchObject,
  target: ListedObject,
): Promise<void> {
  const { source: sourceFacts, target: targetFacts, failure } = await headBothSides(context, object);
  if (failure !== null) return fail(object, failure.code, failure.message);
  if (sourceFacts === null || sourceFacts.etag !== object.etag) {
    fail(object, "source_changed", "the source changed between copy and verification");
    return;
  }
  if (targetFacts === null || targetFacts.etag !== target.etag) {
    fail(object, "target_changed", "the copy changed while it was being verified");
    return;
  }
  const verdict = checksumVerdict(sourceFacts.checksums, targetFacts.checksums);
  if (verdict === "same") object.targetEtag = targetFacts.etag;
  else if (verdict === "different")
    fail(object, "verify_mismatch", "the copy has another checksum than the source");
  else
    fail(
      object,
      "unverifiable",
      `ETags ${object.etag} and ${target.etag} do not compare, and no checksum is kept`,
    );
}
