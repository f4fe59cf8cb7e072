/** Compares an object and its copy by the checksums that the store keeps, where ETags are not comparable. */

import type { BatchObject } from "../domain/batch.ts";
import { checksumVerdict } from "../domain/verdict.ts";
import type { ObjectFacts, ObjectFailure } from "../ports/object-store.ts";
import { sourceAccess, targetAccess, targetKey } from "./bucket-access.ts";
import { headOne } from "./head-many.ts";
import type { BucketsContext } from "./stage-contexts.ts";

export interface BothSides {
  readonly source: ObjectFacts | null;
  readonly target: ObjectFacts | null;
  readonly failure: ObjectFailure | null;
}

/** HEAD requests for source and target of `object`, with their checksums: two requests. */
export async function headBothSides(context: BucketsContext, object: BatchObject): Promise<BothSides> {
  const [source, target] = await Promise.all([
    headOne(sourceAccess(context), object.key, { checksums: true }),
    headOne(targetAccess(context), targetKey(context, object), { checksums: true }),
  ]);
  return { source: source.object, target: target.object, failure: source.failure ?? target.failure };
}

/** Whether both sides have the same bytes now; `unverifiable` when one cannot be read or they cannot be compared. */
export async function compareByChecksums(
  context: BucketsContext,
  object: BatchObject,
): Promise<"same" | "different" | "unverifiable"> {
  const { source, target } = await headBothSides(context, object);
  if (source === null || target === null) return "unverifiable";
  return checksumVerdict(source.checksums, target.checksums);
}
