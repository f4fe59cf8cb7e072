/** Taking in: batches come back from an external copy engine and go on through their stages, or are planned again. */

import { type Batch, CONSIGNED, pending } from "../domain/batch.ts";
import { placeOfCopy } from "../domain/engines/copy-number.ts";
import type { ConsignmentEnd } from "../ports/consignment-engine.ts";
import type { CopyEngine } from "../ports/copy-engine.ts";
import { copiesAskedFor } from "../stages/copies-to-send.ts";
import { AnsweredCopies, noteOddEtags, takeInEngine } from "./answered-copies.ts";
import type { Consigning, RunContext } from "./run-context.ts";

const LOAD_AT_ONCE = 4;
const POLL_MS = 200;

/** The batches that one run takes in. */
export interface TakenIn {
  /**
   * Starts a batch whose missing copies `engine` makes, as soon as there is a free slot; false: it was started. It is started
   * once in a run, for what was read of it before it was started may be out of date.
   */
  start(batch: Batch, engine: CopyEngine): Promise<boolean>;
  /** Whether batch `seq` was started: until its copy stage is recorded the ledger has it as `consigned` all the same. */
  wasStarted(seq: number): boolean;
}

/** Loads the batches of a consignment that are in state `consigned`, oldest first. */
async function* consigned(run: RunContext, id: number): AsyncGenerator<Batch> {
  const { ledger, lease, signal } = run;
  for (let afterSeq = 0; !signal.aborted; ) {
    const query = { jobId: lease.jobId, id, state: CONSIGNED, afterSeq, limit: LOAD_AT_ONCE } as const;
    const batches = await ledger.consignedBatches(query);
    for (const batch of batches) {
      if (signal.aborted) return;
      afterSeq = batch.seq;
      yield batch;
    }
    if (batches.length < LOAD_AT_ONCE) return;
  }
}

/**
 * Takes in all batches of consignment `id` after its `end`, and resolves when the ledger has them in another state. Where the
 * engine has worked through the consignment, copies without an answer are looked at and made by the service. Where it was
 * stopped before, batches that miss copies are planned again.
 */
export async function takeInAll(
  run: RunContext,
  consigning: Consigning,
  id: number,
  answers: AnsweredCopies,
  end: ConsignmentEnd,
  takenIn: TakenIn,
): Promise<void> {
  const { ledger, lease, signal, clock } = run;
  while (!signal.aborted) {
    let isDone = true;
    for await (const batch of consigned(run, id)) {
      isDone = false;
      if (takenIn.wasStarted(batch.seq)) continue;
      if (end.kind !== "ended" && isMissing(run, consigning, batch, answers)) {
        await ledger.returnBatch(lease, batch.seq);
      } else await startTakenIn(run, batch, answers, takenIn);
    }
    if (isDone) return;
    await clock.sleep(POLL_MS, signal);
  }
}

/** Takes in the batches of consignment `id` whose copies the engine is known to have made, while others are under way. */
export async function takeInKnown(
  run: RunContext,
  { engine }: Consigning,
  id: number,
  takenIn: TakenIn,
): Promise<void> {
  if (engine.known === undefined) return;
  for await (const batch of consigned(run, id)) {
    if (takenIn.wasStarted(batch.seq)) continue;
    const answers = new AnsweredCopies();
    const copies = copiesAskedFor(run.stages.copy, batch);
    await engine.known(copies, (number, result) => answers.note(number, result), run.signal);
    // An ETag unlike the source's is no proof before the engine's own report: an event may be of an older copy.
    if (copies.every(({ number, request }) => answers.etagOf(number) === request.source.etag))
      await startTakenIn(run, batch, answers, takenIn);
  }
}

/** Removes the engine's records of consignments whose batches are done. Repeating it does nothing. */
export async function forgetConsignments(run: RunContext, { engine }: Consigning): Promise<void> {
  const { ledger, lease, signal, clock } = run;
  for (const { id, state } of await ledger.consignments(lease.jobId)) {
    if (state !== "ended") continue;
    for (let afterSeq = 0; engine.forget !== undefined; ) {
      const query = { jobId: lease.jobId, id, state: "done", afterSeq, limit: LOAD_AT_ONCE } as const;
      const batches = await ledger.consignedBatches(query);
      for (const batch of batches) {
        await engine.forget(copiesAskedFor(run.stages.copy, batch), signal);
        afterSeq = batch.seq;
      }
      if (batches.length < LOAD_AT_ONCE) break;
    }
    await ledger.closeConsignment(lease, id, "forgotten", clock.now());
  }
}

async function startTakenIn(
  { stages }: RunContext,
  batch: Batch,
  answers: AnsweredCopies,
  takenIn: TakenIn,
): Promise<void> {
  noteOddEtags(batch, answers);
  if (await takenIn.start(batch, takeInEngine(batch, answers, stages.copy.engine))) answers.forget(batch.seq);
}

/** Whether a copy of `batch` that the engine could make has no answer. */
function isMissing(
  { stages }: RunContext,
  { engine }: Consigning,
  batch: Batch,
  answers: AnsweredCopies,
): boolean {
  const open = new Set(pending(batch));
  return copiesAskedFor(stages.copy, batch).some(({ number, request }) => {
    const object = batch.objects[placeOfCopy(number).index];
    return (
      object !== undefined &&
      open.has(object) &&
      !answers.isAnswered(number) &&
      engine.objection(request) === null
    );
  });
}
