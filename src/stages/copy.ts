/** The copy stage: every object to its new key, pinned to the version that was planned. It never deletes. */

import { type Batch, type BatchObject, except, going } from "../domain/batch.ts";
import { type CopyVerdict, looksIdentical, type Seen } from "../domain/verdict.ts";
import type { CopyRequest, CopyResult } from "../ports/object-store.ts";
import { refuseImpossibleKey } from "./impossible-keys.ts";
import { lookAt, lookAtOne } from "./look.ts";
import { settleDuplicates, settleVanished } from "./missing-sources.ts";
import { verdictOn } from "./own-copy.ts";
import { adoptVersion, atVersion } from "./source-version.ts";
import { type StageContext, sourceLook, targetKey, targetKeys, targetLook } from "./stage-context.ts";

/** A source that keeps changing while it is copied is given up after so many rounds. */
const MOST_ROUNDS = 4;

/**
 * Copies what is still going in `batch` and is not there yet. `repeated` tells that an earlier attempt may have
 * copied some of it: an identical target is then recognised as our own.
 */
export async function copyBatch(context: StageContext, batch: Batch, repeated: boolean): Promise<void> {
  for (const object of going(batch)) refuseImpossibleKey(context, object);
  // Planned a while ago, or again after a failure: what was missing then may be there now.
  await lookForMissing(context, going(batch));
  const vanished = going(batch).filter((object) => object.etag === "");
  const wanted = going(batch).filter((object) => object.etag !== "");
  const targets = await lookAt(targetLook(context), targetKeys(context, wanted));
  await context.concurrency.each(wanted, async (object, free) => {
    const key = targetKey(context, object);
    const failure = targets.failed.get(key) ?? null;
    if (failure !== null) return except(object, failure.code, failure.message);
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
  const sights = await lookAt(
    sourceLook(context),
    missing.map((object) => object.key),
  );
  for (const object of missing) {
    const seen = sights.found.get(object.key);
    const failure = sights.failed.get(object.key);
    if (seen !== undefined) adoptVersion(object, seen);
    if (failure !== undefined) except(object, failure.code, failure.message);
  }
}

async function copyObject(
  context: StageContext,
  object: BatchObject,
  seenAtTarget: Seen | null,
  mayBeOurs: boolean,
  free: () => void,
): Promise<"settled" | "vanished"> {
  const { spec } = context;
  if (seenAtTarget !== null && seenAtTarget.etag === object.targetEtag) return renewOwnCopy(context, object);
  let target = seenAtTarget;
  let ours = mayBeOurs;
  // Adopted only together with its copy: whatever fails, the copy of an older version must not pass for this one's.
  let version = object;
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const found = verdictOn(context, version, target, ours);
    // Not even a turn of the microtask queue where nothing needs to be asked: the request goes out with this call.
    const verdict = "copy" in found ? found : await found;
    if (!verdict.copy)
      return settleWithoutCopy(context, object, verdict, { version, target, mayBeOurs: ours });
    const result = await requestCopy(context, version, spec.onConflict !== "overwrite", free);
    if (result.kind !== "precondition_failed") return settleResult(context, object, version, result);
    const now = await lookAgain(context, object);
    if (now === null) return "settled";
    if (now.source === null) return "vanished";
    // A lost answer to our own copy shows up here as a target that was not there before: it is recognised, not refused.
    // But a copy of the version before this one is no copy of this one, however alike they are in size.
    ours = looksIdentical(now.source, version);
    target = now.target;
    version = atVersion(object, now.source);
  }
  except(object, "source_changed", `the source changed ${MOST_ROUNDS} times while it was being copied`);
  return "settled";
}

/** At once unless the source has to be looked at: every copy comes by here. */
function settleResult(
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
  if (result.kind === "failed") except(object, result.failure.code, result.failure.message);
  else if (tellsOfChange(object, result.etag)) return settleChanged(context, object, result.etag);
  return "settled";
}

/**
 * Our own copy stands there from an earlier attempt. It stays, unless the source was overwritten since: then the newer
 * version replaces it, which is what a retry after `source_changed` is for.
 */
async function renewOwnCopy(context: StageContext, object: BatchObject): Promise<"settled" | "vanished"> {
  const { object: now, failure } = await lookAtOne(sourceLook(context), object.key);
  if (failure !== null) except(object, failure.code, failure.message);
  if (failure !== null) return "settled";
  // The copy stands, so nothing is lost: what is left to do is to point rows at it.
  if (now === null) return "settled";
  if (looksIdentical(now, object)) {
    await finishOwnCopy(context, object);
    return "settled";
  }
  // What the batch saw at the target may be hours old, and no store can be asked to replace one version only.
  const { object: standing, failure: untold } = await lookAtOne(
    targetLook(context),
    targetKey(context, object),
  );
  if (untold !== null) except(object, untold.code, untold.message);
  else if (standing !== null && standing.etag !== object.targetEtag) {
    except(object, "target_changed", "the object at the new key is no longer this job's copy");
  }
  if (object.fate.kind !== "going") return "settled";
  const newer = atVersion(object, now);
  const result = await requestCopy(context, newer, standing === null);
  if (result.kind !== "precondition_failed") return settleResult(context, object, newer, result);
  except(
    object,
    "source_changed",
    "the source changed again, or an object appeared at the new key, while it was being copied",
  );
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
  const { object: now } = await lookAtOne(sourceLook(context), object.key);
  if (now === null || now.etag === object.etag) return "settled";
  if (now.etag === copiedEtag) adoptVersion(object, now);
  else except(object, "source_changed", "the source changed while it was being copied");
  return "settled";
}

/** ETags of single copies stay, unless the object is encrypted otherwise or was changed. */
function tellsOfChange({ etag }: BatchObject, copiedEtag: string): boolean {
  return copiedEtag !== etag && !etag.includes("-") && !copiedEtag.includes("-");
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
  const message = `${how} stands at the new key (ETag ${target?.etag ?? "unknown"})`;
  except(object, verdict.because, message);
  return "settled";
}

/**
 * An earlier attempt was cut off after its object had come into being: whatever it had still to do is done now. A source
 * that has gone or changed meanwhile is the later stages' matter.
 */
async function finishOwnCopy(context: StageContext, object: BatchObject): Promise<void> {
  const { source, signal } = context;
  // A plain ETag is never of a copy in parts, and one in a single request is all there or not at all.
  if (!object.targetEtag?.includes("-")) return;
  const result = await source.finishCopy(copyRequest(context, object, true), object.targetEtag, signal);
  if (result.kind === "failed") except(object, result.failure.code, result.failure.message);
  if (result.kind === "precondition_failed") {
    except(object, "target_changed", "the object at the new key is no longer this job's copy");
  }
}

function requestCopy(
  context: StageContext,
  object: BatchObject,
  onlyIfAbsent: boolean,
  free: () => void = () => {},
) {
  // The place is kept for the look at the source that follows an unexpected ETag.
  const onAnswered = (etag: string) => {
    if (!tellsOfChange(object, etag)) free();
  };
  return context.source.copy(copyRequest(context, object, onlyIfAbsent, onAnswered), context.signal);
}

function copyRequest(
  context: StageContext,
  object: BatchObject,
  onlyIfAbsent: boolean,
  onAnswered: (etag: string) => void = () => {},
): CopyRequest {
  const { spec } = context;
  return {
    source: { bucket: spec.source.bucket, key: object.key, etag: object.etag, size: object.size },
    target: { bucket: spec.target.bucket, key: targetKey(context, object) },
    storageClass: object.storageClass,
    onlyIfAbsent,
    onAnswered,
  };
}

/** After a failed condition: which of the two was it? Null when the store will not tell: the object is settled then. */
async function lookAgain(context: StageContext, object: BatchObject) {
  const [source, target] = await Promise.all([
    lookAtOne(sourceLook(context), object.key),
    lookAtOne(targetLook(context), targetKey(context, object)),
  ]);
  const failure = source.failure ?? target.failure;
  if (failure === null) return { source: source.object, target: target.object };
  except(object, failure.code, failure.message);
  return null;
}
