/** The conveyor: takes batches from planning, from an earlier run and from the end of their grace, and carries them on. */

import type { Batch } from "../domain/batch.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import type { JobRecord } from "../ports/ledger.ts";
import { planBatches } from "../stages/plan.ts";
import { type Carrier, carryBatch } from "./batch-carrier.ts";
import { Expectation } from "./expectation.ts";
import { furtherRounds } from "./further-rounds.ts";
import { type Lane, Lanes, type Left } from "./lanes.ts";
import { Parking } from "./parking.ts";
import { addBatch, type StartBatch, untilPlanned } from "./planning.ts";

/** Batches under way at once: enough that copying goes on while others are verified, updated and deleted. */
const MOST_IN_HAND = 8;
/** Of these, so many may be batches whose grace is over, so that deleting keeps up with copying. */
const MOST_DUE_IN_HAND = 3;
const LOAD_AT_ONCE = 4;
const PUMP_MS = 20;
const IN_OTHER_HANDS_MS = 200;

/**
 * Works on a job until all its batches are done, and nothing is left behind that they should have had. Throws `stopped` when
 * the signal was aborted and the last request has ended, `lease_lost`, or what has not passed (a missing right, a vanished
 * bucket).
 */
export async function runConveyor(
  carrier: Carrier,
  { planDone, expected }: Pick<JobRecord, "planDone" | "expected">,
  abort: (cause: unknown) => void,
): Promise<void> {
  const expectation = new Expectation(carrier, expected !== null);
  const lanes = new Lanes();
  try {
    await carryAll(carrier, lanes, abort, async (start) => {
      if (!planDone) await planOn(carrier, start, expectation);
      expectation.planningEnded();
    });
    await furtherRounds(carrier, (plan) => carryAll(carrier, lanes, abort, plan));
  } finally {
    await expectation.end();
  }
}

/** Has `plan` plan batches, and carries these and all that are open until they are done. Throws as {@link runConveyor}. */
async function carryAll(
  carrier: Carrier,
  lanes: Lanes,
  abort: (cause: unknown) => void,
  plan: (start: StartBatch) => Promise<void>,
): Promise<void> {
  const parking = new Parking(carrier);
  const lane = lanes.open(MOST_IN_HAND);
  const dueLane = lanes.open(MOST_DUE_IN_HAND);
  const failures: unknown[] = [];
  const guard = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
      abort(error);
    }
  };
  const carry: Carry = (batch) => async () => {
    let left = "ended" as Left;
    await guard(async () => {
      if ((await carrier.holds.working(() => carryBatch(carrier, batch))) === "parked") left = "parked";
    });
    if (left === "parked") parking.park();
    return left;
  };
  const feed = async () => {
    await resumeOpen(carrier, lane, carry);
    // Where all who have a place are held, planning waits with them: the job then waits, it does not plan.
    await plan((batch) => carrier.holds.resting(() => lane.start(batch.seq, carry(batch))));
    await lane.idle();
    // A batch whose planning seemed to fail and was recorded all the same is found here.
    await resumeOpen(carrier, lane, carry);
    await lane.idle();
    parking.close();
  };
  await Promise.all([guard(feed), guard(() => pumpDue(carrier, dueLane, carry, parking))]);
  await Promise.all([lane.idle(), dueLane.idle()]);
  const telling = failures.find((error) => !hasCode(error, "stopped")) ?? failures[0];
  if (telling !== undefined) throw telling;
  if (carrier.context.signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
}

type Carry = (batch: Batch) => () => Promise<Left>;

/** Batches that are open in the ledger and in nobody's hands, oldest first. */
async function resumeOpen({ context }: Carrier, lane: Lane, carry: Carry): Promise<void> {
  const { jobId } = context.lease;
  for (let afterSeq = 0; ; ) {
    const batches = await context.ledger.openBatches({
      jobId,
      afterSeq,
      updatedBefore: null,
      limit: LOAD_AT_ONCE,
    });
    for (const batch of batches) {
      if (context.signal.aborted) return;
      if (lane.takes(batch.seq)) await lane.start(batch.seq, carry(batch));
      afterSeq = batch.seq;
    }
    if (batches.length < LOAD_AT_ONCE) return;
  }
}

/** Plans to the end. When store or database stay away, planning goes on after the last batch that is in the ledger. */
async function planOn(carrier: Carrier, start: StartBatch, expectation: Expectation): Promise<void> {
  await untilPlanned(carrier, (passed) =>
    planFromLedger(carrier, start, (cursor) => {
      passed();
      expectation.planned(cursor);
    }),
  );
}

/** Plans from where the ledger's last batch ended; every batch is in the ledger before anything is done with it. */
async function planFromLedger(
  carrier: Carrier,
  start: StartBatch,
  onBatch: (cursor: string) => void,
): Promise<void> {
  const { ledger, lease, clock, signal } = carrier.context;
  for await (const planned of planBatches(carrier.context, await ledger.lastCursor(lease.jobId))) {
    if (signal.aborted) return;
    const batch = await addBatch(carrier, planned);
    onBatch(planned.cursor);
    await start(batch);
  }
  if (!signal.aborted) await ledger.planFinished(lease, clock.now());
}

/** Brings parked batches back when their grace is over and the gate lets deletions through. */
async function pumpDue(carrier: Carrier, lane: Lane, carry: Carry, parking: Parking): Promise<void> {
  const { clock, signal } = carrier.context;
  while (!signal.aborted) {
    if (await parking.isEmpty()) {
      if (parking.isClosed) await lane.idle();
      if (parking.isClosed && (await parking.isEmpty())) return;
      await clock.sleep(PUMP_MS, signal);
      continue;
    }
    await carrier.holds.working(() => carrier.holds.waitOut(() => parking.hold(), signal));
    const started = await startDue(carrier, lane, carry);
    await lane.idle();
    // What is due and was not started is in the other lane's hands: it is waited for, not asked for in a circle.
    if (started === 0) await clock.sleep(IN_OTHER_HANDS_MS, signal);
    parking.lookAgain();
  }
}

/** Starts the parked batches that are due; gives how many. */
async function startDue({ context, graceMs, time }: Carrier, lane: Lane, carry: Carry): Promise<number> {
  const { jobId } = context.lease;
  const updatedBefore = time.now() - graceMs;
  let started = 0;
  for (let afterSeq = 0; !context.signal.aborted; ) {
    const query = { jobId, afterSeq, updatedBefore, limit: LOAD_AT_ONCE };
    const batches = await context.ledger.openBatches(query);
    for (const batch of batches) {
      afterSeq = batch.seq;
      const isMine = batch.state === "updated" && lane.takes(batch.seq);
      if (!isMine || context.signal.aborted) continue;
      await lane.start(batch.seq, carry(batch));
      started += 1;
    }
    if (batches.length < LOAD_AT_ONCE) break;
  }
  return started;
}
