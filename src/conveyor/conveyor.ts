/** The conveyor: takes batches from planning, from an earlier run and from the end of their grace, and carries them on. */

import { type Batch, stateBefore } from "../domain/batch.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import type { JobRecord } from "../ports/ledger.ts";
import { planBatches } from "../stages/inventory/plan.ts";
import { BatchSlots, type SlotPool, type SlotResult } from "./batch-slots.ts";
import { DeferredBatches } from "./deferred-batches.ts";
import { furtherRounds } from "./further-rounds.ts";
import { InventoryCount } from "./inventory-count.ts";
import { addBatch, planWithRetries, type StartBatch } from "./planning.ts";
import { runBatch } from "./run-batch.ts";
import type { RunContext } from "./run-context.ts";

/** Batches under way at once: enough that copying goes on while others are verified, updated and deleted. */
const MOST_IN_HAND = 8;
/** Of these, so many may be batches whose grace is over, so that deleting keeps up with copying. */
const MOST_DUE_IN_HAND = 3;
const LOAD_AT_ONCE = 4;
const POLL_MS = 20;
const BUSY_POLL_MS = 200;

/**
 * Works on a job until all its batches are done, and nothing is left behind that they should have had. Throws `stopped` when
 * the signal was aborted and the last request has ended, `lease_lost`, or what has not passed (a missing right, a vanished
 * bucket).
 */
export async function runConveyor(
  run: RunContext,
  { planDone, expected }: Pick<JobRecord, "planDone" | "expected">,
  abort: (cause: unknown) => void,
): Promise<void> {
  const inventoryCount = new InventoryCount(run, expected !== null);
  const batchSlots = new BatchSlots();
  try {
    await runAll(run, batchSlots, abort, async (start) => {
      if (!planDone) await planOn(run, start, inventoryCount);
      inventoryCount.planningEnded();
    });
    await furtherRounds(run, (plan) => runAll(run, batchSlots, abort, plan));
  } finally {
    await inventoryCount.end();
  }
}

/** Has `plan` plan batches, and carries these and all that are open until they are done. Throws as {@link runConveyor}. */
async function runAll(
  run: RunContext,
  batchSlots: BatchSlots,
  abort: (cause: unknown) => void,
  plan: (start: StartBatch) => Promise<void>,
): Promise<void> {
  const deferred = new DeferredBatches(run);
  const slots = batchSlots.open(MOST_IN_HAND);
  const dueSlots = batchSlots.open(MOST_DUE_IN_HAND);
  const failures: unknown[] = [];
  const guard = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
      abort(error);
    }
  };
  const advance: BatchWork = (batch) => async () => {
    let left = "ended" as SlotResult;
    await guard(async () => {
      if ((await run.waits.runActive(() => runBatch(run, batch))) === "deferred") left = "deferred";
    });
    if (left === "deferred") deferred.defer();
    return left;
  };
  const feed = async () => {
    await resumeOpen(run, slots, advance);
    // Where all who have a place are held, planning waits with them: the job then waits, it does not plan.
    await plan((batch) => run.waits.runIdle(() => slots.start(batch.seq, advance(batch))));
    await slots.onIdle();
    // A batch whose planning seemed to fail and was recorded all the same is found here.
    await resumeOpen(run, slots, advance);
    await slots.onIdle();
    deferred.close();
  };
  await Promise.all([guard(feed), guard(() => resumeDeferred(run, dueSlots, advance, deferred))]);
  await Promise.all([slots.onIdle(), dueSlots.onIdle()]);
  const telling = failures.find((error) => !hasCode(error, "stopped")) ?? failures[0];
  if (telling !== undefined) throw telling;
  if (run.signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
}

type BatchWork = (batch: Batch) => () => Promise<SlotResult>;

/** Batches that are open in the ledger and in nobody's hands, oldest first. */
async function resumeOpen(run: RunContext, slots: SlotPool, advance: BatchWork): Promise<void> {
  const { jobId } = run.lease;
  for (let afterSeq = 0; ; ) {
    const batches = await run.ledger.openBatches({
      jobId,
      afterSeq,
      updatedBefore: null,
      limit: LOAD_AT_ONCE,
    });
    for (const batch of batches) {
      if (run.signal.aborted) return;
      if (slots.canStart(batch.seq)) await slots.start(batch.seq, advance(batch));
      afterSeq = batch.seq;
    }
    if (batches.length < LOAD_AT_ONCE) return;
  }
}

/** Plans to the end. When store or database stay away, planning goes on after the last batch that is in the ledger. */
async function planOn(run: RunContext, start: StartBatch, inventoryCount: InventoryCount): Promise<void> {
  await planWithRetries(run, (passed) =>
    planFromLedger(run, start, (cursor) => {
      passed();
      inventoryCount.planned(cursor);
    }),
  );
}

/** Plans from where the ledger's last batch ended; every batch is in the ledger before anything is done with it. */
async function planFromLedger(
  run: RunContext,
  start: StartBatch,
  onBatch: (cursor: string) => void,
): Promise<void> {
  const { ledger, lease, clock, signal } = run;
  for await (const planned of planBatches(run.stages.plan, await ledger.lastCursor(lease.jobId))) {
    if (signal.aborted) return;
    const batch = await addBatch(run, planned);
    onBatch(planned.cursor);
    await start(batch);
  }
  if (!signal.aborted) await ledger.planFinished(lease, clock.now());
}

/** Brings deferred batches back when their grace is over and the gate lets deletions through. */
async function resumeDeferred(
  run: RunContext,
  slots: SlotPool,
  advance: BatchWork,
  deferred: DeferredBatches,
): Promise<void> {
  const { clock, signal } = run;
  while (!signal.aborted) {
    if (await deferred.isEmpty()) {
      if (deferred.isClosed) await slots.onIdle();
      if (deferred.isClosed && (await deferred.isEmpty())) return;
      await clock.sleep(POLL_MS, signal);
      continue;
    }
    await run.waits.runActive(() => run.waits.waitWhileHeld(() => deferred.hold(), signal));
    const started = await startDue(run, slots, advance);
    await slots.onIdle();
    // What is due and was not started is in the other lane's hands: it is waited for, not asked for in a circle.
    if (started === 0) await clock.sleep(BUSY_POLL_MS, signal);
    deferred.invalidate();
  }
}

/** Starts the deferred batches that are due; gives how many. */
async function startDue(run: RunContext, slots: SlotPool, advance: BatchWork): Promise<number> {
  const { jobId } = run.lease;
  const updatedBefore = run.time.now() - run.graceMs;
  let started = 0;
  for (let afterSeq = 0; !run.signal.aborted; ) {
    const query = { jobId, afterSeq, updatedBefore, limit: LOAD_AT_ONCE };
    const batches = await run.ledger.openBatches(query);
    for (const batch of batches) {
      afterSeq = batch.seq;
      const isMine = batch.state === stateBefore("delete") && slots.canStart(batch.seq);
      if (!isMine || run.signal.aborted) continue;
      await slots.start(batch.seq, advance(batch));
      started += 1;
    }
    if (batches.length < LOAD_AT_ONCE) break;
  }
  return started;
}
