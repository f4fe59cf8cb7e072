/** The copy stage: every object to its new key, pinned to the version that was planned. It never deletes. */

import { type Batch, type BatchObject, fail, pending } from "../domain/batch.ts";
import { type CopyVerdict, isSameVersion, type Seen, type SeenVersion } from "../domain/verdict.ts";
import { ABSENT, ANYTHING, requestCopy, settleResult } from "./copy-request.ts";
import { headMany, headOne } from "./head-many.ts";
import { refuseImpossibleKey } from "./impossible-keys.ts";
import { settleDuplicates, settleVanished } from "./missing-sources.ts";
import { verdictOn } from "./own-copy.ts";
import { finishOwnCopy, renewOwnCopy } from "./renew-copy.ts";
import { adoptVersion, atVersion } from "./source-version.ts";
import { type StageContext, sourceAccess, targetAccess, targetKey, targetKeys } from "./stage-context.ts";

/** A source that keeps changing while it is copied is given up after so many rounds. */
const MOST_ROUNDS = 4;
const UNPROVED =
  "; it may be the copy of an attempt that was cut off, but neither ETag nor checksum proves that it is this job's";

/**
 * Copies what is still going in `batch` and is not there yet. `repeated` tells that an earlier attempt may have
 * copied some of it: an identical target is then recognised as our own.
 */
export async function copyBatch(context: StageContext, batch: Batch, repeated: boolean): Promise<void> {
  for (const object of pending(batch)) refuseImpossibleKey(context, object);
  // Planned a while ago, or again after a failure: what was missing then may be there now.
  await lookForMissing(context, pending(batch));
  const vanished = pending(batch).filter((object) => object.etag === "");
  const wanted = pending(batch).filter((object) => object.etag !== "");
  const targets = await headMany(targetAccess(context), targetKeys(context, wanted));
  await context.concurrency.each(wanted, async (object, free) => {
    const key = targetKey(context, object);
    const failure = targets.failed.get(key) ?? null;
    if (failure !== null) return fail(object, failure.code, failure.message);
    const seen = targets.found.get(key) ?? null;
    if ((await copyObject(context, object, seen, repeated, free)) === "vanished") vanished.push(object);
    else context.onCopied(object.size);
  });
  await settleVanished(context, batch, vanished);
  await settleDuplicates(context, batch);
}

async function lookForMissing(context: StageContext, objects: readonly BatchObject[]): Promise<void> {
  const missing = objects.filter((object) => object.etag === "");
  if (missing.length === 0) return;
  const heads = await headMany(
    sourceAccess(context),
    missing.map((object) => object.key),
  );
  for (const object of missing) {
    const seen = heads.found.get(object.key);
    const failure = heads.failed.get(object.key);
    if (seen !== undefined) adoptVersion(object, seen);
    if (failure !== undefined) fail(object, failure.code, failure.message);
  }
}

async function copyObject(
  context: StageContext,
  object: BatchObject,
  seenAtTarget: SeenVersion | null,
  mayBeOurs: boolean,
  free: () => void,
): Promise<"settled" | "vanished"> {
  const { spec } = context;
  if (seenAtTarget !== null && seenAtTarget.etag === object.targetEtag) {
    return renewOwnCopy(context, object, seenAtTarget);
  }
  let target: Seen | null = seenAtTarget;
  let ours = mayBeOurs;
  // Adopted only together with its copy: whatever fails, the copy of an older version must not pass for this one's.
  let version = object;
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const found = verdictOn(context, version, target, ours);
    // Not even a turn of the microtask queue where nothing needs to be asked: the request goes out with this call.
    const verdict = "copy" in found ? found : await found;
    if (!verdict.copy)
      return settleWithoutCopy(context, object, verdict, { version, target, mayBeOurs: ours });
    const result = await requestCopy(
      context,
      version,
      spec.onConflict === "overwrite" ? ANYTHING : ABSENT,
      free,
    );
    if (result.kind !== "precondition_failed") return settleResult(context, object, version, result);
    const now = await lookAgain(context, object);
    if (now === null) return "settled";
    if (now.source === null) return "vanished";
    // A lost answer to our own copy shows up here as a target that was not there before: it is recognised, not refused.
    // But a copy of the version before this one is no copy of this one, however alike they are in size.
    ours = isSameVersion(version, now.source);
    target = now.target;
    version = atVersion(object, now.source);
  }
  fail(object, "source_changed", `the source changed ${MOST_ROUNDS} times while it was being copied`);
  return "settled";
}

/** What a verdict is about. */
interface Found {
  readonly version: BatchObject;
  readonly target: Seen | null;
  readonly mayBeOurs: boolean;
}

async function settleWithoutCopy(
  context: StageContext,
  object: BatchObject,
  verdict: Exclude<CopyVerdict, { readonly copy: true }>,
  { version, target, mayBeOurs }: Found,
): Promise<"settled"> {
  if (verdict.because === "already_there") {
    adoptVersion(object, version);
    object.targetEtag = target?.etag ?? null;
    if (mayBeOurs) await finishOwnCopy(context, object);
    return "settled";
  }
  const how = verdict.identical ? "an identical object" : "a different object";
  const unproved = mayBeOurs && !verdict.identical ? UNPROVED : "";
  const message = `${how} stands at the new key (ETag ${target?.etag ?? "unknown"})${unproved}`;
  fail(object, verdict.because, message);
  return "settled";
}

/** After a failed condition: which of the two was it? Null when the store will not tell: the object is settled then. */
async function lookAgain(context: StageContext, object: BatchObject) {
  const [source, target] = await Promise.all([
    headOne(sourceAccess(context), object.key),
    headOne(targetAccess(context), targetKey(context, object)),
  ]);
  const failure = source.failure ?? target.failure;
  if (failure === null) return { source: source.object, target: target.object };
  fail(object, failure.code, failure.message);
  return null;
}
