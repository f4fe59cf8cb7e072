/** Steps common to the planning of an inventory and of further rounds. */

import type { Batch } from "../domain/batch.ts";
import type { PlannedBatch } from "../stages/inventory/plan.ts";
import { RetryBackoff } from "./retry-backoff.ts";
import type { RunContext } from "./run-context.ts";

/** Starts a batch that is in the ledger as soon as there is a free slot. Call it from inside {@link planWithRetries}. */
export type StartBatch = (batch: Batch) => Promise<void>;

/**
 * Repeats `plan` while store, database or ledger are unavailable, and shows the job as waiting meanwhile; throws other
 * errors, and refusals that persist. `plan` must call `onProgress` for each planned batch: this resets the backoff.
 */
export async function planWithRetries(
  run: RunContext,
  plan: (onProgress: () => void) => Promise<void>,
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
