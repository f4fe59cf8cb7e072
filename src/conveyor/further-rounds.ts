/** Before a job ends it looks again: what was left behind goes through in further rounds, and what still comes then is named. */

import type { ObjectFailure } from "../ports/object-store.ts";
import { planLeftBehind } from "../stages/inventory/left-behind.ts";
import { addBatch, planWithRetries, type StartBatch } from "./planning.ts";
import type { RunContext } from "./run-context.ts";

/** An application that goes on writing under the old prefix must not keep the job from its end. */
const MOST_ROUNDS = 3;
const STILL_COMING: ObjectFailure = {
  code: "left_behind",
  message: `it was under the old prefix when the job ended, after ${MOST_ROUNDS} further rounds for what came late`,
};

/**
 * Looks, and has what was found carried by `runAll`, until a look finds nothing; what the look after the last round finds
 * are exceptions. The rounds are counted anew when the job is taken up again. Throws what `runAll` throws.
 */
export async function furtherRounds(
  run: RunContext,
  runAll: (plan: (start: StartBatch) => Promise<void>) => Promise<void>,
): Promise<void> {
  for (let round = 1; round <= MOST_ROUNDS + 1; round += 1) {
    const { maxObjects } = run.spec;
    const most = maxObjects === null ? Number.POSITIVE_INFINITY : maxObjects - run.tally.planned;
    if (most <= 0) return;
    const fault = round > MOST_ROUNDS ? STILL_COMING : null;
    let hasFound = false;
    await runAll(async (start) => {
      hasFound = await planRound(run, { round, most, fault }, start);
    });
    if (!hasFound) return;
  }
}

/** Whether the look has found anything, or was begun again: then another one has to follow. */
async function planRound(
  run: RunContext,
  look: { readonly round: number; readonly most: number; readonly fault: ObjectFailure | null },
  start: StartBatch,
): Promise<boolean> {
  const { signal, stages } = run;
  let firstSeq = Number.POSITIVE_INFINITY;
  let left = look.most;
  let attempts = 0;
  await planWithRetries(run, async (passed) => {
    attempts += 1;
    const isOwn = (seq: number) => seq >= firstSeq;
    for await (const planned of planLeftBehind(stages.plan, { ...look, most: left, isOwn })) {
      if (signal.aborted) return;
      const batch = await addBatch(run, planned);
      passed();
      firstSeq = Math.min(firstSeq, batch.seq);
      left -= batch.objects.length;
      await start(batch);
    }
  });
  return attempts > 1 || firstSeq < Number.POSITIVE_INFINITY;
}
