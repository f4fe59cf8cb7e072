/** The checks before a source may be deleted: of the copy at the target, and of the source itself. */

import { type BatchObject, fail } from "../domain/batch.ts";
import { type DeleteVerdict, deleteVerdict } from "../domain/verdict.ts";
import type { Deletion, ListedObject, ObjectFailure } from "../ports/object-store.ts";
import { sourceAccess, targetAccess, targetKeys } from "./bucket-access.ts";
import { headMany, headOne } from "./head-many.ts";
import type { BucketsContext } from "./stage-contexts.ts";

/** The state of both sides of an object, read together. */
export interface SourceAndTarget {
  readonly source: ListedObject | null;
  readonly target: ListedObject | null;
}

/**
 * Reads target and source of `objects`, sources last, by listings of up to `page` keys or HEAD requests. An object that the
 * store refuses to give becomes an exception and is left out.
 */
export async function headSourcesAndTargets(
  context: BucketsContext,
  objects: readonly BatchObject[],
  page = 1000,
): Promise<Map<BatchObject, SourceAndTarget>> {
  const keys = targetKeys(context, objects);
  const targets = await headMany({ ...targetAccess(context), page }, keys);
  const sources = await headMany({ ...sourceAccess(context), page }, keysOf(objects));
  const seen = new Map<BatchObject, SourceAndTarget>();
  for (const [at, object] of objects.entries()) {
    const key = keys[at] ?? "";
    const failure = targets.failed.get(key) ?? sources.failed.get(object.key);
    if (failure !== undefined) fail(object, failure.code, failure.message);
    else {
      const source = sources.found.get(object.key) ?? null;
      seen.set(object, { source, target: targets.found.get(key) ?? null });
    }
  }
  return seen;
}

/** A source to delete, with its version at the last check. */
export interface ToDelete {
  readonly object: BatchObject;
  readonly deletion: Deletion;
}

/** The decisions on a slice. */
export interface DeletionDecisions {
  readonly toDelete: readonly ToDelete[];
  /** Objects whose sources were not found. */
  readonly absent: BatchObject[];
}

/** Decides on `seen`; `named` are the keys that rows still name. Objects whose sources are kept become exceptions. */
export function decideDeletions(
  seen: ReadonlyMap<BatchObject, SourceAndTarget>,
  named: ReadonlySet<string>,
): DeletionDecisions {
  const toDelete: ToDelete[] = [];
  const absent: BatchObject[] = [];
  for (const [object, { source, target }] of seen) {
    const verdict = verdictOn(object, { source, target }, named.has(object.key));
    if (verdict.act === "keep") fail(object, verdict.code, KEPT[verdict.code] ?? "the source was kept");
    else if (source === null) absent.push(object);
    else toDelete.push({ object, deletion: source });
  }
  return { toDelete, absent };
}

function verdictOn(
  object: BatchObject,
  { source, target }: SourceAndTarget,
  isStillNamed: boolean,
): DeleteVerdict {
  return deleteVerdict({
    copied: object,
    verifiedEtag: object.targetEtag,
    sourceNow: source,
    targetNow: target,
    isStillNamed,
  });
}

const UNLISTED: ObjectFailure = {
  code: "source_changed",
  message: "a listing did not show the source, yet it is there; it was kept",
};

/**
 * Confirms each absence by a HEAD request, as one wrongly empty page must not count as a finished move: absent sources are
 * added to `gone`, existing ones become the exception that `ifThere` gives.
 */
export async function confirmAbsent(
  context: BucketsContext,
  objects: readonly BatchObject[],
  gone: Set<BatchObject>,
  ifThere: (object: BatchObject) => ObjectFailure = () => UNLISTED,
): Promise<void> {
  await context.concurrency.each(objects, async (object) => {
    const { object: now, failure } = await headOne(sourceAccess(context), object.key);
    const why = now === null ? (failure ?? (await hiddenNewer(context, object))) : ifThere(object);
    if (why === null) gone.add(object);
    else fail(object, why.code, why.message);
  });
}

/** Without the store's own condition an interrupted attempt may have hidden a version that was added after its check. */
async function hiddenNewer(
  { source, relocation, signal }: BucketsContext,
  { key, etag, modifiedAt }: BatchObject,
): Promise<ObjectFailure | null> {
  if (source.protection().deletions === "store") return null;
  const copied = { key, etag, ...(modifiedAt === null ? {} : { modifiedAt }) };
  const version = await source.hiddenVersion(relocation.source.bucket, copied, signal);
  if (version === null) return null;
  const message = `a newer version (${version}) lies under a delete marker; if it is to stay, remove the marker, then retry`;
  return { code: "source_changed", message };
}

function keysOf(objects: readonly BatchObject[]): string[] {
  return objects.map(({ key }) => key);
}

const KEPT: Readonly<Partial<Record<string, string>>> = {
  unverifiable: "the copy was never verified",
  target_lost: "the verified copy is no longer at the new key",
  target_changed: "the object at the new key is not the copy that was verified",
  still_referenced: "a row still names the old key",
  source_changed: "the source was overwritten, or its metadata changed, after it had been copied",
};
