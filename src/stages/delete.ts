/** The delete stage: trusts no memory. Rows, target and source are looked at again, then the sources go. */

import { backoffMs } from "../domain/backoff.ts";
import { type Batch, type BatchObject, except, going, MOVED } from "../domain/batch.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import { type DeleteVerdict, deleteVerdict } from "../domain/verdict.ts";
import type { Hold } from "../pacing/gate.ts";
import { lookAt, lookAtOne } from "./look.ts";
import { type StageContext, sourceLook, targetKeys, targetLook } from "./stage-context.ts";

/** Objects looked at together: a page of a listing. A throttled bucket's deletions are sent in smaller requests. */
const LOOKED_AT_TOGETHER = 1000;
/** Evidence older than this is gathered again: the process may have been stopped in between (SIGSTOP, a sleeping laptop). */
const EVIDENCE_MS = 15_000;
const THROTTLED = { firstMs: 200, mostMs: 10_000 } as const;

/**
 * Deletes the sources of what is still going in `batch`, each only on fresh evidence. Gives the hold when the gate
 * objects at the last moment (nothing is deleted then), null when the batch is settled.
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
    const end = await deleteSome(context, batch, slice);
    if (end === "stale") size = Math.max(1, size >> 1);
    else if (end === "settled") from += slice.length;
    else if (end !== "shut") return end;
  }
  return null;
}

/**
 * Settles `objects`, or gives the gate's hold, or `stale` when looking at so many, and deleting them, took longer than
 * evidence keeps: with fewer at a time it is faster. `shut`: windows closed meanwhile; the next attempt waits for them.
 */
async function deleteSome(
  context: StageContext,
  batch: Batch,
  objects: readonly BatchObject[],
): Promise<Hold | "settled" | "stale" | "shut"> {
  const { clock, signal, source, spec } = context;
  for (let attempt = 1; ; attempt += 1) {
    const open = objects.filter((object) => object.fate.kind === "going");
    // All waiting comes before the looking: evidence must be fresh when it is acted on.
    await context.databasesReady();
    const room = Math.min(open.length, source.bulkKeys(spec.source.bucket));
    await source.makeRoom(spec.source.bucket, room, signal);
    const { named, askedAt: gatheredAt } = await context.rowLooks.stillNamed(context, batch, open);
    const verdicts = await judge(context, open, named);
    const hold = await context.gate.ask({ stage: "delete", at: clock.now() });
    if (hold !== null) return hold;
    try {
      return await act(context, verdicts, { gatheredAt, room });
    } catch (error) {
      if (!hasCode(error, "store_throttled")) throw error;
      await context.paced(() => clock.sleep(backoffMs(THROTTLED, attempt, Math.random()), signal));
    }
  }
}

/** Looks at target and source; `named` are the keys that rows still name. An object nothing is told about keeps its source; the others get a verdict. */
async function judge(
  context: StageContext,
  objects: readonly BatchObject[],
  named: ReadonlySet<string>,
): Promise<Map<BatchObject, DeleteVerdict>> {
  const keys = targetKeys(context, objects);
  const targets = await lookAt(targetLook(context), keys);
  const sources = await lookAt(
    sourceLook(context),
    objects.map((object) => object.key),
  );
  const verdicts = new Map<BatchObject, DeleteVerdict>();
  for (const [at, object] of objects.entries()) {
    const key = keys[at] ?? "";
    const failure = targets.failed.get(key) ?? sources.failed.get(object.key);
    if (failure !== undefined) {
      except(object, failure.code, failure.message);
      continue;
    }
    const sourceNow = sources.found.get(object.key) ?? null;
    const targetNow = targets.found.get(key) ?? null;
    const verdict = deleteVerdict({
      copied: object,
      verifiedEtag: object.targetEtag,
      sourceNow,
      targetNow,
      isStillNamed: named.has(object.key),
    });
    verdicts.set(object, verdict);
  }
  return verdicts;
}

/** Evidence for deletions, and for how many of them has been paid already. */
interface Warrant {
  /** When the looking began, epoch ms. */
  readonly gatheredAt: number;
  readonly room: number;
}

async function act(
  context: StageContext,
  verdicts: ReadonlyMap<BatchObject, DeleteVerdict>,
  warrant: Warrant,
): Promise<"settled" | "stale" | "shut"> {
  const doomed: BatchObject[] = [];
  const gone: BatchObject[] = [];
  for (const [object, verdict] of verdicts) {
    if (verdict.act === "delete") doomed.push(object);
    if (verdict.act === "already_gone") gone.push(object);
    if (verdict.act === "keep") except(object, verdict.code, KEPT[verdict.code] ?? "the source was kept");
  }
  // Deletions first: their evidence grows old, that of an absence does not.
  const end = await deleteInTurn(context, doomed, warrant);
  if (end !== "settled") return end;
  await confirmGone(context, gone);
  return "settled";
}

/** As many in a request as the bucket stands, one request after the other, each on evidence that is still fresh. */
async function deleteInTurn(
  context: StageContext,
  doomed: readonly BatchObject[],
  { gatheredAt, room }: Warrant,
): Promise<"settled" | "stale" | "shut"> {
  const { clock, signal, source, spec } = context;
  for (let from = 0, most = room; from < doomed.length; ) {
    const some = doomed.slice(from, from + most);
    if (from > 0) await source.makeRoom(spec.source.bucket, some.length, signal);
    await context.confirmLease();
    if (await source.takeRoom(signal)) await context.confirmLease();
    if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
    const age = clock.now() - gatheredAt;
    // Younger than nothing: the clock was set back, and how old the evidence is nobody can tell.
    if (age < 0 || age > EVIDENCE_MS) return "stale";
    // Nothing is awaited between this question and the request.
    if (!source.isOpen()) return "shut";
    await deleteSources(context, some);
    from += some.length;
    most = source.bulkKeys(spec.source.bucket);
  }
  return "settled";
}

/** Deletes and reads every key's own outcome: a 200 for the request says nothing of a key. */
async function deleteSources(context: StageContext, objects: readonly BatchObject[]): Promise<void> {
  const { source, spec, signal } = context;
  const asked = objects.map(({ key, etag }) => ({ key, etag }));
  const results = await source.deleteObjects(spec.source.bucket, asked, signal);
  const outcomes = new Map(results.map((result) => [result.key, result]));
  for (const object of objects) {
    const outcome = outcomes.get(object.key);
    if (outcome === undefined)
      except(object, "delete_refused", "the store did not say what became of this key");
    else if (outcome.failure === null) object.fate = MOVED;
    else except(object, outcome.failure.code, outcome.failure.message);
  }
}

/** A key that a listing lacks is asked for by itself: one empty page must not pass for a finished move. */
async function confirmGone(context: StageContext, objects: readonly BatchObject[]): Promise<void> {
  const confirm = async (object: BatchObject) => {
    const { object: now, failure } = await lookAtOne(sourceLook(context), object.key);
    if (failure !== null) except(object, failure.code, failure.message);
    else if (now === null) object.fate = MOVED;
    else except(object, "source_changed", "a listing did not show the source, yet it is there; it was kept");
  };
  await context.concurrency.each(objects, confirm);
}

const KEPT: Readonly<Partial<Record<string, string>>> = {
  unverifiable: "the copy was never verified",
  target_lost: "the verified copy is no longer at the new key",
  target_changed: "the object at the new key is not the copy that was verified",
  still_referenced: "a row still names the old key",
  source_changed: "the source was overwritten after it had been copied",
};
