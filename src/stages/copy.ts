/**
 * The copy stage: decides which objects of a batch are to be copied, has the engine copy exactly the version seen last, and
 * applies the results. It never deletes.
 */

import { type Batch, type BatchObject, fail, pending } from "../domain/batch.ts";
import { isSameVersion, type SeenVersion } from "../domain/verdict.ts";
import type { CopyResult } from "../ports/object-store.ts";
import { sourceAccess, targetAccess, targetKey } from "./bucket-access.ts";
import { type Candidate, candidates, type NoCopy, refuse } from "./copy-candidates.ts";
import { ABSENT, ANYTHING, copyRequest, noteResult, settleChanged } from "./copy-request.ts";
import { headMany, headOne } from "./head-many.ts";
import { refuseImpossibleKey } from "./impossible-keys.ts";
import { settleDuplicates, settleVanished } from "./missing-sources.ts";
import { verdictOn } from "./own-copy.ts";
import { finishOwnCopy, renewOwnCopy } from "./renew-copy.ts";
import { adoptVersion, atVersion } from "./source-version.ts";
import type { CopyContext } from "./stage-contexts.ts";

/** A source that keeps changing while it is copied becomes an exception after this many rounds. */
const MOST_ROUNDS = 4;

/**
 * Copies the pending objects of `batch` that are not at the target yet. `repeated`: an earlier attempt may have copied some
 * of them, so an identical target is recognised as this job's own copy.
 */
export async function copyBatch(context: CopyContext, batch: Batch, repeated: boolean): Promise<void> {
  for (const object of pending(batch)) refuseImpossibleKey(context, object);
  // Objects that were missing at planning may exist now.
  await headMissing(context, pending(batch));
  const vanished = pending(batch).filter((object) => object.etag === "");
  let open = await renewOwnCopies(context, await candidates(context, batch, repeated));
  for (let round = 1; open.length > 0 && round <= MOST_ROUNDS; round += 1) {
    open = await copyRound(context, open, vanished);
  }
  for (const { object } of open) {
    fail(
      object,
      "source_changed",
      `it changed in each of ${MOST_ROUNDS} attempts to copy it, or none gave a result`,
    );
  }
  await settleVanished(context, batch, vanished);
  await settleDuplicates(context, batch);
}

async function headMissing(context: CopyContext, objects: readonly BatchObject[]): Promise<void> {
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

/** Settles those whose recorded copy is at the target; gives the others. */
async function renewOwnCopies(context: CopyContext, all: readonly Candidate[]): Promise<Candidate[]> {
  const others: Candidate[] = [];
  const recorded: { readonly object: BatchObject; readonly copy: SeenVersion }[] = [];
  for (const candidate of all) {
    const { object, target } = candidate;
    if (target !== null && target.etag === object.targetEtag) recorded.push({ object, copy: target });
    else others.push(candidate);
  }
  await context.concurrency.each(recorded, async ({ object, copy }) => {
    await renewOwnCopy(context, object, copy);
    countCopied(context, object);
  });
  return others;
}

/** Decides, copies and settles `open`; gives those that need another round, and adds to `vanished` those without a source. */
async function copyRound(
  context: CopyContext,
  open: readonly Candidate[],
  vanished: BatchObject[],
): Promise<Candidate[]> {
  const toCopy = await decide(context, open);
  const unsettled = new Set(toCopy);
  const settle = (number: number, result: CopyResult): undefined | Promise<void> => {
    const candidate = toCopy[number];
    if (candidate === undefined || result.kind === "precondition_failed") return undefined;
    // A repeated result for the same number is ignored.
    if (!unsettled.delete(candidate)) return undefined;
    const { object, version } = candidate;
    const end = noteResult(object, version, result);
    if (end === "vanished") vanished.push(object);
    else countCopied(context, object);
    // At once: what changes later is not what was copied.
    return end === "changed" ? settleChanged(context, object) : undefined;
  };
  const expected = context.spec.onConflict === "overwrite" ? ANYTHING : ABSENT;
  const requests = toCopy.map(({ version }, number) => ({
    number,
    request: copyRequest(context, version, expected),
  }));
  let without: readonly Candidate[];
  try {
    await context.engine.copy(requests, settle, context.signal);
  } finally {
    // A result that comes after the engine has ended is ignored: its object is checked again, or the batch is repeated.
    without = [...unsettled];
    unsettled.clear();
  }
  return recheck(context, without, vanished);
}

/** Settles those of `open` that need no copy; gives the others. */
async function decide(context: CopyContext, open: readonly Candidate[]): Promise<Candidate[]> {
  const toCopy = new Set(open.filter(({ target }) => target === null));
  const occupied = open.filter(({ target }) => target !== null);
  await context.concurrency.each(occupied, async (candidate) => {
    const { version, target, mayBeOurs } = candidate;
    const verdict = await verdictOn(context, version, target, mayBeOurs);
    if (verdict.copy) toCopy.add(candidate);
    else await settleWithoutCopy(context, candidate, verdict);
  });
  return [...toCopy];
}

async function settleWithoutCopy(context: CopyContext, candidate: Candidate, verdict: NoCopy): Promise<void> {
  const { object, version, target, mayBeOurs } = candidate;
  if (verdict.because === "already_there") {
    adoptVersion(object, version);
    object.targetEtag = target?.etag ?? null;
    if (mayBeOurs) await finishOwnCopy(context, object);
    countCopied(context, object);
    return;
  }
  refuse(candidate, verdict);
}

/**
 * After a failed condition (on the source or on the target) and where no result came: reads both sides of `open` again. Adds
 * to `vanished` those without a source; gives the others.
 */
async function recheck(
  context: CopyContext,
  open: readonly Candidate[],
  vanished: BatchObject[],
): Promise<Candidate[]> {
  const again: Candidate[] = [];
  await context.concurrency.each(open, async ({ object, version }) => {
    const [source, target] = await Promise.all([
      headOne(sourceAccess(context), object.key),
      headOne(targetAccess(context), targetKey(context, object)),
    ]);
    const failure = source.failure ?? target.failure;
    if (failure !== null) fail(object, failure.code, failure.message);
    else if (source.object === null) vanished.push(object);
    else {
      // If the answer to this job's own copy was lost, its object is the target here: it must be recognised, not refused.
      // A copy of an earlier version is no copy of this one, even with the same size.
      const mayBeOurs = isSameVersion(version, source.object);
      again.push({ object, version: atVersion(object, source.object), target: target.object, mayBeOurs });
    }
  });
  return again;
}

/** Reports the copy of `object` for display, unless it has failed. */
function countCopied(context: CopyContext, object: BatchObject): void {
  if (object.outcome.kind === "pending") context.onCopied(object.size);
}
