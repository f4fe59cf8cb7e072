/** The plan of a job without the job: every batch it would plan, and what stands in its way. Reads, and writes nothing. */

import type { BatchObject } from "../domain/batch.ts";
import { keyFault } from "../domain/keys/key-mapping.ts";
import type { ListedObject, ObjectFailure } from "../ports/object-store.ts";
import { targetAccess, targetKeys } from "../stages/bucket-access.ts";
import { headMany } from "../stages/head-many.ts";
import { planBatches } from "../stages/inventory/plan.ts";
import type { BucketsContext, PlanContext, RowsContext } from "../stages/stage-contexts.ts";
import { refuseIfStopped } from "./retry-backoff.ts";

/** A planned object that would be copied, and what stands at its target key. */
export interface DryObject {
  readonly object: BatchObject;
  readonly targetKey: string;
  /** Null: nothing, or it was not looked at, for there is a `failure` or the store takes no such key. */
  readonly standing: ListedObject | null;
  /** Why the store would not tell what stands there; null when it did. */
  readonly failure: ObjectFailure | null;
}

export interface DryBatch {
  /** Objects that are in the source bucket. */
  readonly present: readonly DryObject[];
  /** Objects that the inventory names and that are not in the source bucket. */
  readonly missing: readonly BatchObject[];
  /** Objects that are exceptions already: no key can be read from the value, or the store will not tell about them. */
  readonly failed: readonly BatchObject[];
}

/** What is needed to plan without a job. */
export type DryContext = PlanContext & BucketsContext & Pick<RowsContext, "rowLimit">;

/**
 * The batches that the job of `context` would plan from the start, by the real planner: inventory, filter and
 * `maxObjects` are the job's own. The ledger, the lease and the gate are not asked. Throws `stopped` when the signal
 * was aborted.
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
    // In a job reading keeps to the pace of the updates; here no update follows that would keep to its limit.
    const looked = spec.inventory.from === "database" ? 0 : objects.length * context.references.length;
    await clock.sleep(rowLimit.reserve(looked, clock.now()), signal);
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
