/** The delete stage: trusts no memory. Target, source and, last, rows are looked at again, then the sources go. */

import { type Batch, type BatchObject, fail, MOVED, pending } from "../domain/batch.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import { ageMs, type Moment, momentOf } from "../domain/evidence-age.ts";
import { backoffMs } from "../domain/rates/backoff.ts";
import type { Hold } from "../pacing/gate.ts";
import type { DeleteResult, ObjectFailure } from "../ports/object-store.ts";
import { repairDanglingRows } from "./dangling-rows.ts";
import { confirmAbsent, decideDeletions, headSourcesAndTargets, type ToDelete } from "./deletion-checks.ts";
import { keysPerRequest, recheckBeforeDelete, recordGap } from "./deletion-guard.ts";
import type { ReferenceCheck } from "./reference-checks.ts";
import { keysStillNamed } from "./reference-lookup.ts";
import type { DeleteContext } from "./stage-contexts.ts";

/** Objects looked at together: a page of a listing. A throttled bucket's deletions are sent in smaller requests. */
const LOOKED_AT_TOGETHER = 1000;
/** Evidence older than this is gathered again: the process may have been stopped in between (SIGSTOP, a sleeping laptop). */
const EVIDENCE_MS = 15_000;
/** Rows may be changed at any time: before a request they are asked again when the last answer is older than this. */
const ROWS_MS = 2_000;
/** A look that a deletion rests on is acted on within this time. */
const LOOK_MS = 1_000;
/** What follows a deletion, the question for rows that came meanwhile, is to fall into the window as well. */
const FINISH_MS = 2_000;
const SHUT_MS = 250;
const THROTTLED = { firstMs: 200, mostMs: 10_000 } as const;

/**
 * Deletes the sources of what is still going in `batch`, each only on fresh evidence. Gives the hold when the gate
 * objects at the last moment, null when the batch is settled.
 */
export async function deleteBatch(context: DeleteContext, batch: Batch): Promise<Hold | null> {
  if (context.deleteWhen === "never") {
    for (const object of pending(batch)) object.outcome = MOVED;
    return null;
  }
  const objects = pending(batch);
  let size = LOOKED_AT_TOGETHER;
  for (let from = 0; from < objects.length; ) {
    const slice = objects.slice(from, from + size);
    const end = await deleteSome(context, batch, slice);
    if (end === "stale") size = Math.max(1, size >> 1);
    else if (end === "settled") from += slice.length;
    else if (end !== "shut") return end;
    // Windows shut within moments: until they have, nothing is to be begun.
    else await context.clock.sleep(SHUT_MS, context.signal);
  }
  return null;
}

type End = Hold | "settled" | "stale" | "shut";

/**
 * Moved, unless a row names the old key and cannot be pointed at the new one. This ends a deletion: where the job was stopped
 * or windows have shut meanwhile, rows are not left dangling until it goes on.
 */
async function settleGone(context: DeleteContext, gone: readonly BatchObject[]): Promise<void> {
  const mayWait = context.source.isOpen() && !context.signal.aborted;
  await repairDanglingRows(mayWait ? context : context.unbound(), gone);
  for (const object of gone) if (object.outcome.kind === "pending") object.outcome = MOVED;
}

/**
 * Deletes `objects`, and settles those whose sources are gone, whatever stops it in between. Gives `settled`, or the
 * gate's hold, or `stale` when looking at so many, and deleting them, took longer than evidence keeps: with fewer at a
 * time it is faster. `shut`: windows close within moments; the next attempt waits for them.
 */
async function deleteSome(
  context: DeleteContext,
  batch: Batch,
  objects: readonly BatchObject[],
): Promise<End> {
  const { clock, signal } = context;
  for (let attempt = 1; ; attempt += 1) {
    const gone = new Set<BatchObject>();
    try {
      const end = await attemptDeletion(context, batch, objects, gone);
      await settleGone(context, [...gone]);
      return end;
    } catch (error) {
      await settleInPassing(context, gone, error);
      if (!hasCode(error, "store_throttled")) throw error;
      await context.whileRateLimited(() => clock.sleep(backoffMs(THROTTLED, attempt, Math.random()), signal));
    }
  }
}

/** What has been deleted before `error` is settled all the same: after a cancellation no other run would do it. */
async function settleInPassing(
  context: DeleteContext,
  gone: ReadonlySet<BatchObject>,
  error: unknown,
): Promise<void> {
  if (gone.size === 0 || hasCode(error, "lease_lost")) return;
  const isStopped = context.signal.aborted;
  try {
    await settleGone(context, [...gone]);
  } catch (failure) {
    // A next attempt finds these sources gone and asks for their rows again.
    if (!isStopped && !hasCode(failure, "database_unavailable", "stopped")) throw failure;
  }
}

async function attemptDeletion(
  context: DeleteContext,
  batch: Batch,
  objects: readonly BatchObject[],
  gone: Set<BatchObject>,
): Promise<End> {
  const { clock, signal, source, relocation } = context;
  const open = objects.filter((object) => object.outcome.kind === "pending");
  // A window that is shut already is waited for below, where the wait is shown.
  if (source.isOpen() && !source.isOpen(FINISH_MS)) return "shut";
  // All waiting comes before the looking: evidence must be fresh when it is acted on.
  await context.databasesReady();
  const room = keysPerRequest(context, Math.min(open.length, source.bulkKeys(relocation.source.bucket)));
  await source.reserveWrites(relocation.source.bucket, room, signal);
  const gatheredAt = momentOf(clock);
  const seen = await headSourcesAndTargets(context, open);
  const hold = await context.objection();
  if (hold !== null) return hold;
  const rows = await context.referenceChecks.stillNamed(context, batch, open);
  const { toDelete, absent } = decideDeletions(seen, rows.named);
  // Deletions first: their evidence grows old, that of an absence does not.
  const end = await deleteInTurn(context, toDelete, { gatheredAt, room, rows }, { gone, absent });
  if (end === "settled") await confirmAbsent(context, absent, gone);
  return end;
}

/** Where objects end up whose sources are gone, or seem to be. */
interface Gone {
  readonly gone: Set<BatchObject>;
  /** To be asked for by themselves. */
  readonly absent: BatchObject[];
}

/** Evidence for deletions, and for how many of them has been paid already. */
interface DeletionEvidence {
  /** When the looking began. */
  readonly gatheredAt: Moment;
  readonly room: number;
  readonly rows: ReferenceCheck;
}

/** As many in a request as the bucket stands, one request after the other, each on evidence that is still fresh. */
async function deleteInTurn(
  context: DeleteContext,
  toDelete: readonly ToDelete[],
  { gatheredAt, room, rows }: DeletionEvidence,
  { gone, absent }: Gone,
): Promise<"settled" | "stale" | "shut"> {
  const { clock, signal, source, relocation } = context;
  let { askedAt } = rows;
  for (let from = 0, most = room; from < toDelete.length; ) {
    let some = toDelete.slice(from, from + most);
    if (from > 0) await source.reserveWrites(relocation.source.bucket, some.length, signal);
    await context.confirmLease();
    if (await source.useReservation(signal)) await context.confirmLease();
    from += some.length;
    if (ageMs(askedAt, clock) > ROWS_MS) {
      askedAt = momentOf(clock);
      some = await withoutNamed(context, some);
    }
    const lookedAt = clock.monotonic();
    some = await recheckBeforeDelete(context, some, absent, gatheredAt.monotonic);
    const seenAt = clock.monotonic();
    if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
    if (ageMs(gatheredAt, clock) > EVIDENCE_MS) return "stale";
    // Nothing is awaited between this question and the request.
    if (!source.isOpen(FINISH_MS)) return "shut";
    const mayBegin = () => clock.monotonic() - seenAt <= LOOK_MS;
    await deleteSources(context, some, gone, mayBegin);
    recordGap(context, some.length, seenAt - lookedAt, clock.monotonic() - seenAt);
    most = keysPerRequest(context, source.bulkKeys(relocation.source.bucket));
  }
  return "settled";
}

/** Those that no row names now; the others are kept. */
async function withoutNamed(context: DeleteContext, toDelete: readonly ToDelete[]): Promise<ToDelete[]> {
  const named = await keysStillNamed(
    context,
    toDelete.map(({ object }) => object),
  );
  for (const { object } of toDelete) {
    if (named.has(object.key)) fail(object, "still_referenced", "a row still names the old key");
  }
  return toDelete.filter(({ object }) => !named.has(object.key));
}

/** Deletes and reads every key's own outcome: a 200 for the request says nothing of a key. */
async function deleteSources(
  context: DeleteContext,
  toDelete: readonly ToDelete[],
  gone: Set<BatchObject>,
  mayBegin: () => boolean,
): Promise<void> {
  if (toDelete.length === 0) return;
  const { source, relocation, signal } = context;
  const asked = toDelete.map(({ deletion }) => deletion);
  const results = await source.deleteObjects(relocation.source.bucket, asked, signal, { mayBegin });
  const outcomes = new Map(results.map((result) => [result.key, result]));
  const unsettled = new Map<BatchObject, string>();
  for (const { object } of toDelete) {
    const { failure, isUnsettled } = outcomes.get(object.key) ?? UNSAID;
    if (failure === null) gone.add(object);
    else if (isUnsettled) unsettled.set(object, failure.message);
    else fail(object, failure.code, failure.message);
  }
  await confirmAbsent(context, [...unsettled.keys()], gone, (object) => ({
    code: "delete_refused",
    message: unsettled.get(object) ?? UNSAID.failure.message,
  }));
}

const UNSAID: Omit<DeleteResult, "key"> & { readonly failure: ObjectFailure } = {
  failure: { code: "delete_refused", message: "the store did not say what became of this key" },
  isUnsettled: true,
};
