/** The dry plan: every batch that a job would plan, with the objects at the target keys. Reads only. */

import type { BatchObject } from "../domain/batch.ts";
import { keyFault } from "../domain/keys/key-mapping.ts";
import type { ListedObject, ObjectFailure } from "../ports/object-store.ts";
import { targetAccess, targetKeys } from "../stages/bucket-access.ts";
import { headMany } from "../stages/head-many.ts";
import { planBatches } from "../stages/inventory/plan.ts";
import type { BucketsContext, PlanContext, RowsContext } from "../stages/stage-contexts.ts";
import { refuseIfStopped } from "./retry-backoff.ts";

/** A planned object that would be copied, and the object at its target key. */
export interface DryObject {
  readonly object: BatchObject;
  readonly targetKey: string;
  /** Null: there is none, or it was not read because of a `failure` or a key that the store does not accept. */
  readonly standing: ListedObject | null;
  /** Why the store refused to give that object; null when it did not. */
  readonly failure: ObjectFailure | null;
}

export interface DryBatch {
  /** Objects that are in the source bucket. */
  readonly present: readonly DryObject[];
  /** Objects that the inventory names and that are not in the source bucket. */
  readonly missing: readonly BatchObject[];
  /** Objects that are exceptions at planning: their value gives no key, or the store refused to give the object. */
  readonly failed: readonly BatchObject[];
}

/** The context for planning without a run. */
export type DryContext = PlanContext & BucketsContext & Pick<RowsContext, "rowLimit">;

/**
 * The batches that the job of `context` would plan from the start, by the same planner with the job's inventory, filter and
 * `maxObjects`. Uses no ledger, lease or gate. Throws `stopped` when the signal was aborted.
 */
export async function* dryPlan(context: DryContext): AsyncGenerator<DryBatch> {
  const { clock, rowLimit, signal, spec } = context;
  for await (const { objects } of planBatches(context, null)) {
    refuseIfStopped(signal);
    const pending = objects.filter((object) => object.outcome.kind === "pending");
    yield {
      present: await withTargets(
        context,
        pending.filter((object) => object.etag !== ""),
      ),
      missing: pending.filter((object) => object.etag === ""),
      failed: objects.filter((object) => object.outcome.kind !== "pending"),
    };
    // In a job the rate of updates limits the reading too; here no update follows, so the row limit is applied to reads.
    const rowsRead = spec.inventory.from === "database" ? 0 : objects.length * context.references.length;
    await clock.sleep(rowLimit.reserve(rowsRead, clock.now()), signal);
    refuseIfStopped(signal);
  }
}

async function withTargets(context: BucketsContext, objects: readonly BatchObject[]): Promise<DryObject[]> {
  const keys = targetKeys(context, objects);
  const { found, failed } = await headMany(
    targetAccess(context),
    keys.filter((key) => keyFault(key) === null),
  );
  return objects.map((object, at) => {
    const key = keys[at] ?? "";
    return {
      object,
      targetKey: key,
      standing: found.get(key) ?? null,
      failure: failed.get(key) ?? null,
    };
  });
}
