/** Objects that the inventory names and the copy stage cannot find: vanished, or moved already because listed twice. */

import { type Batch, type BatchObject, except } from "../domain/batch.ts";
import { keysStillNamed } from "./naming.ts";
import type { StageContext } from "./stage-context.ts";

/** A vanished object is an exception where a row still names it, and otherwise nothing that is left to move. */
export async function settleVanished(
  context: StageContext,
  batch: Batch,
  vanished: readonly BatchObject[],
): Promise<void> {
  if (vanished.length === 0) return;
  const named = await keysStillNamed(context, vanished);
  const before = await plannedBefore(context, batch, vanished);
  for (const object of vanished) {
    // One that this job has copied before was planned again on purpose: it is nobody's duplicate.
    if (before.has(object.key) && object.targetEtag === null) {
      object.fate = { kind: "skipped", reason: "duplicate" };
    } else if (named.has(object.key)) {
      except(object, "source_missing", "a row names this key, but the object is not in the source bucket");
    } else if (context.spec.inventory.from === "bucket") {
      object.fate = { kind: "skipped", reason: "source_gone" };
    } else {
      except(
        object,
        "source_missing",
        "the inventory names this key, but the object is not in the source bucket",
      );
    }
  }
}

/** An object listed twice by its inventory meets its own copy at the target: not a conflict. */
export async function settleDuplicates(context: StageContext, batch: Batch): Promise<void> {
  const conflicts = batch.objects.filter(
    ({ fate }) => fate.kind === "exception" && fate.code === "target_exists",
  );
  if (conflicts.length === 0) return;
  const before = await plannedBefore(context, batch, conflicts);
  for (const object of conflicts) {
    if (before.has(object.key)) object.fate = { kind: "skipped", reason: "duplicate" };
  }
}

/** The keys of those that an earlier batch has: one question for all of them. */
function plannedBefore(
  context: StageContext,
  batch: Batch,
  objects: readonly BatchObject[],
): Promise<ReadonlySet<string>> {
  const keys = objects.map(({ key }) => key);
  return context.ledger.plannedBefore(batch.jobId, keys, batch.seq);
}
