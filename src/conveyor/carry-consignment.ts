/** Carries one consignment: sends it, follows it, and takes its batches in. */

import { DomainError, hasCode } from "../domain/errors.ts";
import { areStricter } from "../domain/stricter-limits.ts";
import { settledCounts } from "../domain/tally.ts";
import type { Hold } from "../pacing/gate.ts";
import type { ConsignmentEnd, ConsignmentLimits, ConsignmentOrder } from "../ports/consignment-engine.ts";
import type { ConsignmentRecord } from "../ports/consignment-records.ts";
import type { NumberedCopy } from "../ports/copy-engine.ts";
import { copiesAskedFor, copiesToSend } from "../stages/copies-to-send.ts";
import { AnsweredCopies } from "./answered-copies.ts";
import { countStage } from "./live-tally.ts";
import { RetryBackoff } from "./retry-backoff.ts";
import type { Consigning, RunContext } from "./run-context.ts";
import { type TakenIn, takeInAll, takeInKnown } from "./take-in.ts";

/** The interval at which the gate is asked whether copies may still begin, and at which known copies are taken in. */
const WATCH_MS = 1_000;
/** When the run is stopped for good (pause, cancel, guard), the external service is given this time to confirm its stop. */
const RECALL_MS = 10_000;
const LOAD_AT_ONCE = 4;

/** Sends `record` unless that was done, follows it, and takes its batches in by `takenIn`. Throws as {@link RetryBackoff}. */
export async function carryConsignment(
  run: RunContext,
  consigning: Consigning,
  record: ConsignmentRecord,
  takenIn: TakenIn,
): Promise<void> {
  const { ledger, lease, clock, waits, signal } = run;
  const answers = new AnsweredCopies();
  const backoff = new RetryBackoff(run);
  let end: ConsignmentEnd | null = null;
  while (end === null) {
    try {
      end = await followed(run, consigning, await currentRecord(run, record), answers, takenIn);
    } catch (error) {
      if (signal.aborted) consigning.recalls.failed(error);
      if (hasCode(error, "stopped") && signal.aborted) return;
      await waits.runActive(() => backoff.backOffOrThrow(error));
    }
  }
  consigning.recalls.confirm(record.id);
  if (signal.aborted) return;
  await takeInAll(run, consigning, record.id, answers, end, takenIn);
  if (signal.aborted) return;
  await ledger.closeConsignment(lease, record.id, "ended", clock.now());
  if (end.kind === "broken") throw new DomainError("engine_refused", end.reason);
}

/** The record with the engine's latest progress: an attempt that failed may have saved some. */
async function currentRecord({ ledger, lease }: RunContext, record: ConsignmentRecord) {
  const all = await ledger.consignments(lease.jobId);
  return all.find(({ id }) => id === record.id) ?? record;
}

/** One attempt to send and follow `record`; its results go to `answers`. */
async function followed(
  run: RunContext,
  consigning: Consigning,
  record: ConsignmentRecord,
  answers: AnsweredCopies,
  takenIn: TakenIn,
): Promise<ConsignmentEnd> {
  const { ledger, lease, unrecorded } = run;
  const recall = new AbortController();
  const follow = new AbortController();
  const ended = new AbortController();
  const limits = consigning.limits();
  let wait: Hold | null = null;
  let wasSent = record.progress !== null;
  const watching = [
    watchGate(run, consigning, limits, { recall, follow, ended: ended.signal }),
    showWait(run, () => wait, ended.signal),
    watchKnown(run, consigning, record.id, takenIn, ended.signal),
  ];
  try {
    return await unrecorded.during((onCopied) => {
      let shown = 0;
      const order: ConsignmentOrder = {
        consignment: record,
        limits,
        copies: () => copiesOf(run, consigning, record, wasSent),
        save: async (progress) => {
          await ledger.saveProgress(lease, record.id, progress);
          wasSent = true;
        },
        onWait: (given) => {
          wait = given === null ? null : { reason: "engine", ...given };
        },
        onProgress: (count) => {
          for (; shown < count; shown += 1) onCopied(0);
        },
        recall: recall.signal,
        onRecalled: () => consigning.recalls.confirm(record.id),
      };
      return consigning.engine.carry(order, (number, result) => answers.note(number, result), follow.signal);
    });
  } finally {
    ended.abort();
    await Promise.all(watching);
  }
}

/** The copies of `record`: those that are needed now; once the engine has saved progress (`wasSent`) all that it may have sent. */
async function* copiesOf(
  run: RunContext,
  { engine }: Consigning,
  record: ConsignmentRecord,
  wasSent: boolean,
): AsyncGenerator<NumberedCopy> {
  const { ledger, lease, stages } = run;
  for (let afterSeq = 0; ; ) {
    const query = {
      jobId: lease.jobId,
      id: record.id,
      state: "consigned",
      afterSeq,
      limit: LOAD_AT_ONCE,
    } as const;
    const batches = await ledger.consignedBatches(query);
    for (const batch of batches) {
      afterSeq = batch.seq;
      const copies = wasSent ? copiesAskedFor(stages.copy, batch) : await prepared(run, batch);
      yield* copies.filter(({ request }) => engine.objection(request) === null);
    }
    if (batches.length < LOAD_AT_ONCE) return;
  }
}

/** Decides what of `batch` is to be copied, and records the objects that may not be. */
async function prepared(run: RunContext, batch: Parameters<typeof copiesToSend>[1]): Promise<NumberedCopy[]> {
  const { ledger, lease, clock, stages, tally } = run;
  const startedAt = clock.now();
  const before = settledCounts(batch.objects);
  const copies = await copiesToSend(stages.copy, batch, batch.plannedUnder < lease.token);
  const after = settledCounts(batch.objects);
  if (after.exceptions + after.skipped > before.exceptions + before.skipped) {
    const outcome = { batch, stage: "copy", startedAt, endedAt: clock.now(), attempts: 1, rows: 0 } as const;
    await ledger.recordStage(lease, { ...outcome, isPartial: true });
    countStage(tally, batch, before, null, 0);
  }
  return copies;
}

/**
 * Recalls the consignment when no copy may begin any more, or none within the limits under which it was `sent`; lets go of it
 * when this process stops.
 */
async function watchGate(
  { gate, clock, signal }: RunContext,
  { recall: stop, limits }: Consigning,
  sent: ConsignmentLimits,
  by: { readonly recall: AbortController; readonly follow: AbortController; readonly ended: AbortSignal },
): Promise<void> {
  const { recall, follow, ended } = by;
  while (!ended.aborted && !signal.aborted) {
    const hold = await gate.ask({ stage: "copy", at: clock.now() }).catch(() => null);
    if (hold !== null || areStricter(limits(), sent)) recall.abort();
    await clock.sleep(WATCH_MS, AbortSignal.any([ended, signal]));
  }
  if (ended.aborted) return;
  if (stop.aborted) {
    recall.abort();
    await clock.sleep(RECALL_MS, ended);
  }
  follow.abort();
}

/** Shows what the engine waits for as long as it waits. */
async function showWait(run: RunContext, wait: () => Hold | null, ended: AbortSignal): Promise<void> {
  const { waits, clock } = run;
  await waits.runActive(async () => {
    while (!ended.aborted) {
      await waits.waitWhileHeld(async () => (ended.aborted ? null : wait()), ended);
      await clock.sleep(WATCH_MS / 4, ended);
    }
  });
}

/** Takes in what is known of the consignment while it is under way. A failure is no reason to stop: the end tells all. */
async function watchKnown(
  run: RunContext,
  consigning: Consigning,
  id: number,
  takenIn: TakenIn,
  ended: AbortSignal,
): Promise<void> {
  if (consigning.engine.known === undefined) return;
  const until = AbortSignal.any([ended, run.signal]);
  while (!until.aborted) {
    await run.clock.sleep(WATCH_MS * 5, until);
    if (!until.aborted) await takeInKnown(run, consigning, id, takenIn).catch(() => undefined);
  }
}
