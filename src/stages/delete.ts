/** The delete stage: deletes sources only on fresh evidence of the target, the source and, last, the rows. */

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

/** Objects checked together: a page of a listing. A throttled bucket's deletions are sent in smaller requests. */
const CHECKED_TOGETHER = 1000;
/** Evidence older than this is gathered again: the process may have been suspended (SIGSTOP, a sleeping machine). */
const EVIDENCE_MS = 15_000;
/** Rows may change at any time: before a request they are queried again when the last answer is older than this. */
const ROWS_MS = 2_000;
/** A deletion is sent only within this time after the check that it relies on. */
const CHECK_MS = 1_000;
/** Time left in the window for the query after a deletion, for rows that were added meanwhile. */
const FINISH_MS = 2_000;
const SHUT_MS = 250;
const THROTTLED = { firstMs: 200, mostMs: 10_000 } as const;

/**
 * Deletes the sources of the pending objects of `batch`, each only on fresh evidence. Gives the hold when the gate refuses at
 * the last moment, null when the batch is settled.
 */
export async function deleteBatch(context: DeleteContext, batch: Batch): Promise<Hold | null> {
  if (context.deleteWhen === "never") {
    for (const object of pending(batch)) object.outcome = MOVED;
    return null;
  }
  const objects = pending(batch);
  let size = CHECKED_TOGETHER;
  for (let from = 0; from < objects.length; ) {
    const slice = objects.slice(from, from + size);
    const end = await deleteSome(context, batch, slice);
    if (end === "stale") size = Math.max(1, size >> 1);
    else if (end === "settled") from += slice.length;
    else if (end !== "shut") return end;
    // The windows close within moments: nothing may begin until they have.
    else await context.clock.sleep(SHUT_MS, context.signal);
  }
  return null;
}

type End = Hold | "settled" | "stale" | "shut";

/**
 * Marks `gone` as moved, unless a row names the old key and cannot be pointed at the new one. Part of every deletion: done
 * also when the job was stopped or windows have closed meanwhile, so that no rows dangle until it continues.
 */
async function settleGone(context: DeleteContext, gone: readonly BatchObject[]): Promise<void> {
  const mayWait = context.source.isOpen() && !context.signal.aborted;
  const { onRowsChanged } = context;
  await repairDanglingRows(mayWait ? context : { ...context.unbound(), onRowsChanged }, gone);
  for (const object of gone) if (object.outcome.kind === "pending") object.outcome = MOVED;
}

/**
 * Deletes `objects`, and settles those whose sources are gone even when an error interrupts it. Gives `settled`, or the
 * gate's hold, or `stale` when checking and deleting so many took longer than {@link EVIDENCE_MS}: fewer at a time are
 * faster. `shut`: windows close within moments; the next attempt waits for them.
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

/** Settles what was deleted before `error`: after a cancellation no other run would do it. */
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
    // The next attempt finds these sources gone and queries their rows again.
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
  // A window that is closed already is waited for below, where the wait is shown.
  if (source.isOpen() && !source.isOpen(FINISH_MS)) return "shut";
  // All waiting comes before the checks: evidence must be fresh when it is used.
  await context.databasesReady();
  const reserved = keysPerRequest(context, Math.min(open.length, source.bulkKeys(relocation.source.bucket)));
  await source.reserveWrites(relocation.source.bucket, reserved, signal);
  const gatheredAt = momentOf(clock);
  const seen = await headSourcesAndTargets(context, open);
  const hold = await context.objection();
  if (hold !== null) return hold;
  const rows = await context.referenceChecks.stillNamed(context, batch, open);
  const { toDelete, absent } = decideDeletions(seen, rows.named);
  // Deletions first: their evidence becomes stale, that of an absence does not.
  const end = await deleteInTurn(context, toDelete, { gatheredAt, reserved, rows }, { gone, absent });
  if (end === "settled") await confirmAbsent(context, absent, gone);
  return end;
}

/** Collects objects whose sources are gone, or seem to be. */
interface Gone {
  readonly gone: Set<BatchObject>;
  /** To be confirmed by a HEAD request each. */
  readonly absent: BatchObject[];
}

/** The evidence for deletions, and the number of writes reserved for them. */
interface DeletionEvidence {
  /** When the checks began. */
  readonly gatheredAt: Moment;
  readonly reserved: number;
  readonly rows: ReferenceCheck;
}

/** Deletes in consecutive requests of as many keys as the bucket accepts, each on evidence that is still fresh. */
async function deleteInTurn(
  context: DeleteContext,
  toDelete: readonly ToDelete[],
  { gatheredAt, reserved, rows }: DeletionEvidence,
  { gone, absent }: Gone,
): Promise<"settled" | "stale" | "shut"> {
  const { clock, signal, source, relocation } = context;
  let { askedAt } = rows;
  for (let from = 0, most = reserved; from < toDelete.length; ) {
    let some = toDelete.slice(from, from + most);
    if (from > 0) await source.reserveWrites(relocation.source.bucket, some.length, signal);
    await context.confirmLease();
    if (await source.useReservation(signal)) await context.confirmLease();
    from += some.length;
    if (ageMs(askedAt, clock) > ROWS_MS) {
      askedAt = momentOf(clock);
      some = await withoutNamed(context, some);
    }
    const checkedAt = clock.monotonic();
    some = await recheckBeforeDelete(context, some, absent, gatheredAt.monotonic);
    const seenAt = clock.monotonic();
    if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
    if (ageMs(gatheredAt, clock) > EVIDENCE_MS) return "stale";
    // Nothing is awaited between this check and the request.
    if (!source.isOpen(FINISH_MS)) return "shut";
    const mayBegin = () => clock.monotonic() - seenAt <= CHECK_MS;
    await deleteSources(context, some, gone, mayBegin);
    recordGap(context, some.length, seenAt - checkedAt, clock.monotonic() - seenAt);
    most = keysPerRequest(context, source.bulkKeys(relocation.source.bucket));
  }
  return "settled";
}

/** Those that no row names now; the others become exceptions. */
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

/** Deletes, and applies the outcome of each key: status 200 of the request does not imply success of any key. */
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
