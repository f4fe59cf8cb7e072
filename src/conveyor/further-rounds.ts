/** Further rounds before a job ends: leftovers are moved, and what is found after the last round becomes exceptions. */

import type { ObjectFailure } from "../ports/object-store.ts";
import { planLeftBehind } from "../stages/inventory/left-behind.ts";
import { addBatch, planWithRetries, type StartBatch } from "./planning.ts";
import type { RunContext } from "./run-context.ts";

/** Bounded, so that a job ends although an application keeps writing under the old prefix. */
const MOST_ROUNDS = 3;
const STILL_COMING: ObjectFailure = {
  code: "left_behind",
  message: `it was under the old prefix when the job ended, after ${MOST_ROUNDS} further rounds for what came late`,
};

/**
 * Scans for leftovers and moves them by `runAll` until a scan finds nothing; those that the scan after the last round finds
 * become exceptions. A resumed job begins with the first round again. Throws what `runAll` throws.
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

/** Plans one round; true when the scan has found anything or was restarted: then another scan must follow. */
async function planRound(
  run: RunContext,
  scan: { readonly round: number; readonly most: number; readonly fault: ObjectFailure | null },
  start: StartBatch,
): Promise<boolean> {
  const { signal, stages } = run;
  let firstSeq = Number.POSITIVE_INFINITY;
  let left = scan.most;
  let attempts = 0;
  await planWithRetries(run, async (onProgress) => {
    attempts += 1;
    const isOwn = (seq: number) => seq >= firstSeq;
    for await (const planned of planLeftBehind(stages.plan, { ...scan, most: left, isOwn })) {
      if (signal.aborted) return;
      const batch = await addBatch(run, planned);
      onProgress();
      firstSeq = Math.min(firstSeq, batch.seq);
      left -= batch.objects.length;
      await start(batch);
    }
  });
  return attempts > 1 || firstSeq < Number.POSITIVE_INFINITY;
}
