/** What planning does with every batch, whichever look has found its objects. */

import type { Batch } from "../domain/batch.ts";
import type { PlannedBatch } from "../stages/plan.ts";
import type { Carrier } from "./batch-carrier.ts";
import { Troubles } from "./trouble.ts";

/** Takes a batch that is in the ledger in hand, as soon as there is a place for it. Call it from inside {@link untilPlanned}. */
export type StartBatch = (batch: Batch) => Promise<void>;

/**
 * Repeats `plan` while store, database or ledger are away, which is shown; throws what has not passed. `plan` is to call
 * `passed` for each batch that it has planned: the next trouble is the first again then.
 */
export async function untilPlanned(
  carrier: Carrier,
  plan: (passed: () => void) => Promise<void>,
): Promise<void> {
  const { context, holds } = carrier;
  const troubles = new Troubles(carrier);
  await holds.working(async () => {
    while (!context.signal.aborted) {
      try {
        return await plan(() => troubles.passed());
      } catch (error) {
        await troubles.sitOut(error);
      }
    }
  });
}

/** Records `planned` in the ledger and counts its objects. */
export async function addBatch({ context, tally }: Carrier, planned: PlannedBatch): Promise<Batch> {
  const { ledger, lease, clock } = context;
  const batch = await ledger.addBatch(lease, planned, clock.now());
  tally.planned += batch.objects.length;
  for (const object of batch.objects) {
    tally.bytes += object.size;
    if (object.fate.kind === "exception") tally.exceptions += 1;
  }
  return batch;
}
