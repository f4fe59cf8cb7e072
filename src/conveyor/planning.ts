/** What planning does with every batch, whichever look has found its objects. */

import type { Batch } from "../domain/batch.ts";
import type { PlannedBatch } from "../stages/inventory/plan.ts";
import { RetryBackoff } from "./retry-backoff.ts";
import type { RunContext } from "./run-context.ts";

/** Takes a batch that is in the ledger in hand, as soon as there is a place for it. Call it from inside {@link planWithRetries}. */
export type StartBatch = (batch: Batch) => Promise<void>;

/**
 * Repeats `plan` while store, database or ledger are away, which is shown; throws what has not passed. `plan` is to call
 * `passed` for each batch that it has planned: the next trouble is the first again then.
 */
export async function planWithRetries(
  run: RunContext,
  plan: (passed: () => void) => Promise<void>,
): Promise<void> {
  const { signal, waits } = run;
  const backoff = new RetryBackoff(run);
  await waits.runActive(async () => {
    while (!signal.aborted) {
      try {
        return await plan(() => backoff.reset());
      } catch (error) {
        await backoff.backOffOrThrow(error);
      }
    }
  });
}

/** Records `planned` in the ledger and counts its objects. */
export async function addBatch(run: RunContext, planned: PlannedBatch): Promise<Batch> {
  const { ledger, lease, clock, tally } = run;
  const batch = await ledger.addBatch(lease, planned, clock.now());
  tally.planned += batch.objects.length;
  for (const object of batch.objects) {
    tally.bytes += object.size;
    if (object.outcome.kind === "exception") tally.exceptions += 1;
  }
  return batch;
}
