/** What planning does with every batch, whichever look has found its objects. */

import type { Batch } from "../domain/batch.ts";
import type { PlannedBatch } from "../stages/plan.ts";
import type { Carrier } from "./batch-carrier.ts";
import { sitOut } from "./trouble.ts";

/** Takes a batch that is in the ledger in hand, as soon as there is a place for it. Call it from inside {@link untilPlanned}. */
export type StartBatch = (batch: Batch) => Promise<void>;

/** Repeats `plan` while store, database or ledger are away, which is shown; throws what no waiting cures. */
export async function untilPlanned(carrier: Carrier, plan: () => Promise<void>): Promise<void> {
  const { context, holds } = carrier;
  await holds.working(async () => {
    for (let attempt = 1; !context.signal.aborted; attempt += 1) {
      try {
        return await plan();
      } catch (error) {
        await sitOut(carrier, error, attempt);
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
