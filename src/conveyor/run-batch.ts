/** Runs one batch through its remaining stages, recording each outcome before the next stage begins. */

import {
  type Batch,
  type BatchStage,
  CONSIGNED,
  nextStage,
  type Stage,
  stateAfter,
} from "../domain/batch.ts";
import { hasCode } from "../domain/errors.ts";
import { type SettledCounts, settledCounts } from "../domain/tally.ts";
import type { Hold } from "../pacing/gate.ts";
import { yieldToEventLoop } from "../pacing/yield-to-event-loop.ts";
import type { CopyEngine } from "../ports/copy-engine.ts";
import type { StageOutcome } from "../ports/ledger.ts";
import { copyBatch } from "../stages/copy.ts";
import { deleteBatch } from "../stages/delete.ts";
import { updateBatch } from "../stages/update.ts";
import { verifyBatch } from "../stages/verify.ts";
import { countStage } from "./live-tally.ts";
import { RetryBackoff, refuseIfStopped } from "./retry-backoff.ts";
import type { RunContext } from "./run-context.ts";

/** `done`, or `deferred` in state `updated` until the sources of the batch may be deleted. */
export type BatchResult = "done" | "deferred";

/**
 * Runs the remaining stages of `batch`. While a store or database is unavailable the batch waits and the reason is shown;
 * permanent errors are thrown. Throws `stopped` when the job is to stop: the last finished stage is in the ledger then, and
 * the interrupted one will be repeated. `engine` makes the copies, that of the copy stage unless given.
 */
export function runBatch(run: RunContext, batch: Batch, engine?: CopyEngine): Promise<BatchResult> {
  return run.referenceChecks.during(batch, () => advance(run, batch, engine));
}

async function advance(run: RunContext, batch: Batch, engine: CopyEngine | undefined): Promise<BatchResult> {
  for (;;) {
    const stage = nextStage(batch.state);
    if (stage === null) return "done";
    if (stage === "delete" && isDeferred(run, batch)) return "deferred";
    if (!(await runStage(run, batch, stage, engine))) return "deferred";
    await yieldToEventLoop();
  }
}

/** Whether the grace period of `batch` is still running; it counts from the update of its rows. */
function isDeferred({ graceMs, time }: RunContext, batch: Batch): boolean {
  return batch.updatedAt !== null && batch.updatedAt + graceMs > time.now();
}

/** Runs `stage` until it is recorded (true) or the gate keeps the batch deferred before its deletion (false). */
async function runStage(
  run: RunContext,
  batch: Batch,
  stage: BatchStage,
  engine: CopyEngine | undefined,
): Promise<boolean> {
  const { lease, signal, waits } = run;
  // Planned under an older token: an earlier run may have begun this stage without recording it.
  const isOlder = batch.plannedUnder < lease.token || batch.state === CONSIGNED;
  const isDoneElsewhere = stage === "update" && run.consigning?.updatesRows === true;
  const backoff = new RetryBackoff(run);
  for (let attempt = 1; ; attempt += 1) {
    // A batch that waits for its deletion is deferred to the ledger, not kept in memory: there may be very many.
    if (stage === "delete" && (await asks(run, stage)) !== null) return false;
    await waits.waitWhileHeld(() => asks(run, stage), signal);
    refuseIfStopped(signal);
    try {
      return await performOnce(run, batch, stage, {
        ...{ attempt, engine },
        repeated: isOlder || isDoneElsewhere || attempt > 1,
      });
    } catch (error) {
      await backoff.backOffOrThrow(error);
    }
  }
}

async function performOnce(
  run: RunContext,
  batch: Batch,
  stage: BatchStage,
  { attempt, repeated, engine }: Pick<StageRun, "repeated" | "engine"> & { readonly attempt: number },
): Promise<boolean> {
  const { tally, unrecorded } = run;
  const clock = stage === "update" ? run.time : run.clock;
  const startedAt = clock.now();
  const settled = settledCounts(batch.objects);
  return unrecorded.during(async (onCopied) => {
    const changed = run.rows.of(batch.seq);
    const before = new Map(changed);
    const onRowsChanged = (reference: number, rows: number) => {
      changed.set(reference, (changed.get(reference) ?? 0) + rows);
    };
    const record = async (isPartial: boolean) => {
      const rows = [...changed.values()].reduce((sum, each) => sum + each, 0);
      const endedAt = clock.now();
      await yieldToEventLoop();
      await recordUntilDone(run, { batch, stage, startedAt, endedAt, attempts: attempt, rows, isPartial });
      run.rows.recorded(batch.seq);
      countStage(tally, batch, settled, stage, rows);
      return endedAt;
    };
    // A job that is stopped or held half-way through a deletion may be cancelled: what was deleted is recorded now.
    const recordDeleted = async () => {
      if (stage === "delete" && hasSettled(batch, settled)) await record(true);
    };
    const given = { stage, engine, repeated, before, onCopied, onRowsChanged };
    try {
      if (!(await perform(run, batch, given))) {
        await recordDeleted();
        return false;
      }
    } catch (error) {
      if (hasCode(error, "stopped")) await recordDeleted();
      throw error;
    }
    const endedAt = await record(false);
    batch.state = stateAfter(stage);
    if (stage === "update") batch.updatedAt = endedAt;
    run.onStage?.(batch, stage);
    return true;
  });
}

function hasSettled(batch: Batch, before: SettledCounts): boolean {
  const { moved, skipped, exceptions } = settledCounts(batch.objects);
  return moved + skipped + exceptions > before.moved + before.skipped + before.exceptions;
}

/** Records a stage; while the ledger is unavailable only the record is repeated, never the stage's effect. */
async function recordUntilDone(run: RunContext, outcome: StageOutcome): Promise<void> {
  const { ledger, lease } = run;
  const backoff = new RetryBackoff(run);
  for (;;) {
    try {
      return await ledger.recordStage(lease, outcome);
    } catch (error) {
      if (!hasCode(error, "ledger_unavailable")) throw error;
      await backoff.backOffOrThrow(error);
    }
  }
}

function asks({ gate, clock }: RunContext, stage: Stage): Promise<Hold | null> {
  return gate.ask({ stage, at: clock.now() });
}

interface StageRun {
  readonly stage: BatchStage;
  /** Undefined: that of the copy stage. */
  readonly engine: CopyEngine | undefined;
  /** Whether an earlier attempt may have done a part of the stage. */
  readonly repeated: boolean;
  /** Rows that earlier attempts have reported as changed, by reference. */
  readonly before: ReadonlyMap<number, number>;
  onCopied(bytes: number): void;
  onRowsChanged(reference: number, rows: number): void;
}

/** Performs a stage; false when the gate refused the deletion at the last moment. */
async function perform({ stages }: RunContext, batch: Batch, given: StageRun): Promise<boolean> {
  const { stage, engine, repeated, before, onCopied, onRowsChanged } = given;
  if (stage === "copy")
    await copyBatch({ ...stages.copy, ...(engine && { engine }), onCopied }, batch, repeated);
  if (stage === "verify") await verifyBatch(stages.verify, batch);
  if (stage === "update") await updateBatch({ ...stages.update, onRowsChanged }, batch, repeated, before);
  return stage !== "delete" || (await deleteBatch({ ...stages.delete, onRowsChanged }, batch)) === null;
}
