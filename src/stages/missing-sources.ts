/** Objects of the inventory that the copy stage cannot find: vanished, or moved already because they were listed twice. */

import { type Batch, type BatchObject, fail } from "../domain/batch.ts";
import { sourceAccess } from "./bucket-access.ts";
import { headOne } from "./head-many.ts";
import { keysStillNamed } from "./reference-lookup.ts";
import type { CopyContext } from "./stage-contexts.ts";

/**
 * Settles objects that are not in the source bucket, by the rows that name them now (in every reference) and the inventory:
 *
 * | named by a row now | inventory          | the object                                                   |
 * |--------------------|--------------------|--------------------------------------------------------------|
 * | yes                | any                | `source_missing`: the row dangles                            |
 * | no                 | bucket             | skipped, `source_gone`: nothing is left to move              |
 * | no                 | database           | likewise: the row that named it was deleted or corrected     |
 * | no                 | manifest           | `source_missing`: the list may be wrong, or wrongly encoded  |
 * | no                 | manifest, on retry | skipped, `source_gone`: an operator has seen the exception   |
 */
export async function settleVanished(
  context: CopyContext,
  batch: Batch,
  vanished: readonly BatchObject[],
): Promise<void> {
  if (vanished.length === 0) return;
  const named = await keysStillNamed(context, vanished);
  const before = await plannedBefore(context, batch, vanished);
  for (const object of vanished) {
    // An object that this job has copied before was planned again on purpose: it is no duplicate.
    if (before.has(object.key) && object.targetEtag === null) {
      object.outcome = { kind: "skipped", reason: "duplicate" };
    } else if (named.has(object.key)) {
      fail(object, "source_missing", "a row names this key, but the object is not in the source bucket");
    } else if (context.spec.inventory.from === "manifest" && batch.isRetry !== true) {
      fail(
        object,
        "source_missing",
        "the manifest names this key, but the object is not in the source bucket",
      );
    }
  }
  const unnamed = vanished.filter(({ outcome }) => outcome.kind === "pending");
  await context.concurrency.each(unnamed, (object) => settleUnnamed(context, object));
}

/** Skips `object` when it does not exist: a copy that did not find it proves that, a listing without it does not. */
async function settleUnnamed(context: CopyContext, object: BatchObject): Promise<void> {
  const wasOnlyListed = object.etag === "";
  if (wasOnlyListed) {
    const { object: now, failure } = await headOne(sourceAccess(context), object.key);
    if (failure !== null) fail(object, failure.code, failure.message);
    if (now !== null) fail(object, "source_missing", "a listing did not show the object, yet it is there");
  }
  if (object.outcome.kind === "pending") object.outcome = { kind: "skipped", reason: "source_gone" };
}

/** Skips objects that conflict with their own copy because the inventory has them twice. */
export async function settleDuplicates(context: CopyContext, batch: Batch): Promise<void> {
  const conflicts = batch.objects.filter(
    ({ outcome }) => outcome.kind === "exception" && outcome.code === "target_exists",
  );
  if (conflicts.length === 0) return;
  const before = await plannedBefore(context, batch, conflicts);
  for (const object of conflicts) {
    if (before.has(object.key)) object.outcome = { kind: "skipped", reason: "duplicate" };
  }
}

/** The keys of those that an earlier batch has: one query for all of them. */
function plannedBefore(
  context: CopyContext,
  batch: Batch,
  objects: readonly BatchObject[],
): Promise<ReadonlySet<string>> {
  const keys = objects.map(({ key }) => key);
  return context.plannedBefore(keys, batch.seq);
}
