/** The delete stage: trusts no memory. Target, source and, last, rows are looked at again, then the sources go. */

import { backoffMs } from "../domain/backoff.ts";
import { type Batch, type BatchObject, except, going, MOVED } from "../domain/batch.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import type { Hold } from "../pacing/gate.ts";
import type { DeleteResult, ObjectFailure } from "../ports/object-store.ts";
import { healDanglingRows } from "./dangling-rows.ts";
import { confirmGone, type Doomed, judge, lookAround, stillTheSame } from "./deletion-looks.ts";
import { keysStillNamed } from "./naming.ts";
import type { RowLook } from "./row-looks.ts";
import type { StageContext } from "./stage-context.ts";

/** Objects looked at together: a page of a listing. A throttled bucket's deletions are sent in smaller requests. */
const LOOKED_AT_TOGETHER = 1000;
/** Evidence older than this is gathered again: the process may have been stopped in between (SIGSTOP, a sleeping laptop). */
const EVIDENCE_MS = 15_000;
/** Rows may be changed at any time: before a request they are asked again when the last answer is older than this. */
const ROWS_MS = 1_000;
const THROTTLED = { firstMs: 200, mostMs: 10_000 } as const;

/**
 * Deletes the sources of what is still going in `batch`, each only on fresh evidence. Gives the hold when the gate
 * objects at the last moment, null when the batch is settled.
 */
export async function deleteBatch(context: StageContext, batch: Batch): Promise<Hold | null> {
  if (context.spec.delete.when === "never") {
    for (const object of going(batch)) object.fate = MOVED;
    return null;
  }
  const objects = going(batch);
  let size = LOOKED_AT_TOGETHER;
  for (let from = 0; from < objects.length; ) {
    const slice = objects.slice(from, from + size);
    const gone = new Set<BatchObject>();
    const end = await deleteSome(context, batch, slice, gone);
    await settleGone(context, [...gone]);
    if (end === "stale") size = Math.max(1, size >> 1);
    else if (end === "settled") from += slice.length;
    else if (end !== "shut") return end;
  }
  return null;
}

type End = Hold | "settled" | "stale" | "shut";

/** Moved, unless a row names the old key and cannot be pointed at the new one. */
async function settleGone(context: StageContext, gone: readonly BatchObject[]): Promise<void> {
  await healDanglingRows(context, gone);
  for (const object of gone) if (object.fate.kind === "going") object.fate = MOVED;
}

/**
 * Deletes `objects` and adds those whose sources are gone to `gone`. Gives `settled`, or the gate's hold, or `stale` when
 * looking at so many, and deleting them, took longer than evidence keeps: with fewer at a time it is faster. `shut`:
 * windows closed meanwhile; the next attempt waits for them.
 */
async function deleteSome(
  context: StageContext,
  batch: Batch,
  objects: readonly BatchObject[],
  gone: Set<BatchObject>,
): Promise<End> {
  const { clock, signal, source, spec } = context;
  for (let attempt = 1; ; attempt += 1) {
    const open = objects.filter((object) => object.fate.kind === "going" && !gone.has(object));
    // All waiting comes before the looking: evidence must be fresh when it is acted on.
    await context.databasesReady();
    const room = keysAtOnce(context, Math.min(open.length, source.bulkKeys(spec.source.bucket)));
    await source.makeRoom(spec.source.bucket, room, signal);
    const gatheredAt = clock.now();
    const seen = await lookAround(context, open);
    const hold = await context.gate.ask({ stage: "delete", at: clock.now() });
    if (hold !== null) return hold;
    const rows = await context.rowLooks.stillNamed(context, batch, open);
    const { doomed, absent } = judge(seen, rows.named);
    try {
      // Deletions first: their evidence grows old, that of an absence does not.
      const end = await deleteInTurn(context, doomed, { gatheredAt, room, rows }, gone);
      if (end === "settled") await confirmGone(context, absent, gone);
      return end;
    } catch (error) {
      if (!hasCode(error, "store_throttled")) throw error;
      await context.paced(() => clock.sleep(backoffMs(THROTTLED, attempt, Math.random()), signal));
    }
  }
}

/** Evidence for deletions, and for how many of them has been paid already. */
interface Warrant {
  /** When the looking began, epoch ms. */
  readonly gatheredAt: number;
  readonly room: number;
  readonly rows: RowLook;
}

/** As many in a request as the bucket stands, one request after the other, each on evidence that is still fresh. */
async function deleteInTurn(
  context: StageContext,
  doomed: readonly Doomed[],
  { gatheredAt, room, rows }: Warrant,
  gone: Set<BatchObject>,
): Promise<"settled" | "stale" | "shut"> {
  const { clock, signal, source, spec } = context;
  let { askedAt } = rows;
  for (let from = 0, most = room; from < doomed.length; ) {
    let some = doomed.slice(from, from + most);
    if (from > 0) await source.makeRoom(spec.source.bucket, some.length, signal);
    await context.confirmLease();
    if (await source.takeRoom(signal)) await context.confirmLease();
    from += some.length;
    if (ageOf(askedAt, clock.now()) > ROWS_MS) {
      askedAt = clock.now();
      some = await withoutNamed(context, some);
    }
    const lookedAt = clock.now();
    some = await guardedByLook(context, some, gone);
    if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
    if (ageOf(gatheredAt, clock.now()) > EVIDENCE_MS) return "stale";
    // Nothing is awaited between this question and the request.
    if (!source.isOpen()) return "shut";
    await deleteSources(context, some, gone);
    noteGap(context, some.length, clock.now() - lookedAt);
    most = keysAtOnce(context, source.bulkKeys(spec.source.bucket));
  }
  return "settled";
}

/** Without bound when it seems negative: the clock was set back, and how old the evidence is cannot be told. */
function ageOf(since: number, now: number): number {
  return now < since ? Number.POSITIVE_INFINITY : now - since;
}

/** Keys for the next request, where the bucket stands `most`: one where it is not known yet whether the store compares. */
function keysAtOnce({ source, deletionSize }: StageContext, most: number): number {
  const { deletions } = source.protection();
  if (deletions === "store") return most;
  return deletions === "unknown" ? 1 : Math.min(most, deletionSize.keys);
}

function noteGap({ source, deletionSize }: StageContext, keys: number, ms: number): void {
  if (keys > 0 && source.protection().deletions === "look") deletionSize.note(keys, ms);
}

/** Those that no row names now; the others are kept. */
async function withoutNamed(context: StageContext, doomed: readonly Doomed[]): Promise<Doomed[]> {
  const named = await keysStillNamed(
    context,
    doomed.map(({ object }) => object),
  );
  for (const { object } of doomed) {
    if (named.has(object.key)) except(object, "still_referenced", "a row still names the old key");
  }
  return doomed.filter(({ object }) => !named.has(object.key));
}

/** Where the store does not compare the version before it deletes: those that are what they were a moment ago. */
async function guardedByLook(
  context: StageContext,
  doomed: Doomed[],
  gone: Set<BatchObject>,
): Promise<Doomed[]> {
  if (context.source.protection().deletions !== "look") return doomed;
  const { same, absent } = await stillTheSame(context, doomed);
  await confirmGone(context, absent, gone);
  return same;
}

/** Deletes and reads every key's own outcome: a 200 for the request says nothing of a key. */
async function deleteSources(
  context: StageContext,
  doomed: readonly Doomed[],
  gone: Set<BatchObject>,
): Promise<void> {
  if (doomed.length === 0) return;
  const { source, spec, signal } = context;
  const asked = doomed.map(({ deletion }) => deletion);
  const results = await source.deleteObjects(spec.source.bucket, asked, signal);
  const outcomes = new Map(results.map((result) => [result.key, result]));
  const unsettled = new Map<BatchObject, string>();
  for (const { object } of doomed) {
    const { failure, isUnsettled } = outcomes.get(object.key) ?? UNSAID;
    if (failure === null) gone.add(object);
    else if (isUnsettled) unsettled.set(object, failure.message);
    else except(object, failure.code, failure.message);
  }
  await confirmGone(context, [...unsettled.keys()], gone, (object) => ({
    code: "delete_refused",
    message: unsettled.get(object) ?? UNSAID.failure.message,
  }));
}

const UNSAID: Omit<DeleteResult, "key"> & { readonly failure: ObjectFailure } = {
  failure: { code: "delete_refused", message: "the store did not say what became of this key" },
  isUnsettled: true,
};
