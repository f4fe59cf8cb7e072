/** The conveyor: runs batches that were just planned, that an earlier run left open, and whose grace period is over. */

import { type Batch, FIRST_STATE, stateBefore } from "../domain/batch.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import type { CopyEngine } from "../ports/copy-engine.ts";
import type { JobRecord } from "../ports/ledger.ts";
import { planBatches } from "../stages/inventory/plan.ts";
import { BatchSlots, type SlotPool, type SlotResult } from "./batch-slots.ts";
import { Consigner } from "./consigner.ts";
import { DeferredBatches } from "./deferred-batches.ts";
import { furtherRounds } from "./further-rounds.ts";
import { InventoryCount } from "./inventory-count.ts";
import { addBatch, planWithRetries, type StartBatch } from "./planning.ts";
import { recallOpen } from "./recall-open.ts";
import { runBatch } from "./run-batch.ts";
import type { RunContext } from "./run-context.ts";
import { forgetConsignments } from "./take-in.ts";

/** Batches in progress at once: enough that copying goes on while others are verified, updated and deleted. */
const MOST_IN_PROGRESS = 8;
/** Additional ones whose grace period is over, so that deleting keeps up with copying. */
const MOST_DUE_IN_PROGRESS = 3;
const LOAD_AT_ONCE = 4;
const POLL_MS = 20;
const BUSY_POLL_MS = 200;

/**
 * Works on a job until all its batches are done and a scan has found nothing left behind; of a job that is to stop from the
 * beginning it only recalls what an external engine copies. Throws `stopped` when the signal was aborted and the last request
 * has ended, `lease_lost`, or an error that retries did not cure (a missing right, a vanished bucket).
 */
export async function runConveyor(
  run: RunContext,
  { planDone, expected }: Pick<JobRecord, "planDone" | "expected">,
  abort: (cause: unknown) => void,
): Promise<void> {
  if (run.signal.aborted) return recallOpen(run);
  const inventoryCount = new InventoryCount(run, expected !== null);
  const batchSlots = new BatchSlots();
  try {
    await runAll(run, batchSlots, abort, async (start) => {
      if (!planDone) await planOn(run, start, inventoryCount);
      inventoryCount.planningEnded();
    });
    await furtherRounds(run, (plan) => runAll(run, batchSlots, abort, plan));
    if (run.consigning !== null) await forgetConsignments(run, run.consigning);
  } finally {
    await inventoryCount.end();
  }
}

/** Runs the batches that `plan` starts and all open ones until they are done. Throws as {@link runConveyor}. */
async function runAll(
  run: RunContext,
  batchSlots: BatchSlots,
  abort: (cause: unknown) => void,
  plan: (start: StartBatch) => Promise<void>,
): Promise<void> {
  const deferred = new DeferredBatches(run);
  const slots = batchSlots.open(MOST_IN_PROGRESS);
  const dueSlots = batchSlots.open(MOST_DUE_IN_PROGRESS);
  const failures: unknown[] = [];
  const guard = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
      abort(error);
    }
  };
  const advance: BatchWork = (batch, engine) => async () => {
    let left = "ended" as SlotResult;
    await guard(async () => {
      if ((await run.waits.runActive(() => runBatch(run, batch, engine))) === "deferred") left = "deferred";
    });
    if (left === "deferred") deferred.defer();
    return left;
  };
  const consigner = consignerOf(run, slots, advance);
  const feed = async () => {
    await resumeOpen(run, slots, advance, consigner !== null);
    const consigned = consigner === null ? null : guard(() => consigner.work());
    // While planning waits for a slot it counts as idle: when all batches are held, the job is shown as waiting. Batches that
    // an external engine copies wait in the ledger.
    await plan((batch) =>
      consigner === null
        ? run.waits.runIdle(() => slots.start(batch.seq, advance(batch)))
        : Promise.resolve(),
    );
    consigner?.planningEnded();
    await consigned;
    await slots.onIdle();
    // Finds a batch that was recorded although its planning seemed to fail, and the remainder that is not worth a consignment.
    await resumeOpen(run, slots, advance);
    await slots.onIdle();
    deferred.close();
  };
  await Promise.all([guard(feed), guard(() => resumeDeferred(run, dueSlots, advance, deferred))]);
  await Promise.all([slots.onIdle(), dueSlots.onIdle()]);
  const cause = failures.find((error) => !hasCode(error, "stopped")) ?? failures[0];
  if (cause !== undefined) throw cause;
  if (run.signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
}

type BatchWork = (batch: Batch, engine?: CopyEngine) => () => Promise<SlotResult>;

/** The consigner of a job whose copies an external engine makes; null where the service makes them. */
function consignerOf(run: RunContext, slots: SlotPool, advance: BatchWork): Consigner | null {
  if (run.consigning === null) return null;
  const started = new Set<number>();
  return new Consigner(run, run.consigning, {
    wasStarted: (seq) => started.has(seq),
    async start(batch, engine) {
      if (started.has(batch.seq) || !slots.canStart(batch.seq)) return false;
      started.add(batch.seq);
      await slots.start(batch.seq, advance(batch, engine));
      return true;
    },
  });
}

/** Starts the batches that are open in the ledger and not in progress, oldest first; with `leavePlanned` not those to copy. */
async function resumeOpen(
  run: RunContext,
  slots: SlotPool,
  advance: BatchWork,
  leavePlanned = false,
): Promise<void> {
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
      afterSeq = batch.seq;
      if (leavePlanned && batch.state === FIRST_STATE) continue;
      if (slots.canStart(batch.seq)) await slots.start(batch.seq, advance(batch));
    }
    if (batches.length < LOAD_AT_ONCE) return;
  }
}

/** Plans to the end. After an outage of store or database planning continues after the last batch in the ledger. */
async function planOn(run: RunContext, start: StartBatch, inventoryCount: InventoryCount): Promise<void> {
  await planWithRetries(run, (onProgress) =>
    planFromLedger(run, start, (cursor) => {
      onProgress();
      inventoryCount.planned(cursor);
    }),
  );
}

/** Plans from the end of the ledger's last batch; every batch is in the ledger before it is started. */
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

/** Resumes deferred batches when their grace period is over and the gate allows deletions. */
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
    // A due batch that was not started is in progress in the other pool: poll at intervals, not in a tight loop.
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
