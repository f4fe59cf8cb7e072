/** Compares an object and its copy by the checksums the store keeps, where ETags cannot tell. */

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

/** Looks at source and target with their checksums: two requests. */
export async function headBothSides(context: BucketsContext, object: BatchObject): Promise<BothSides> {
  const [source, target] = await Promise.all([
    headOne(sourceAccess(context), object.key, { checksums: true }),
    headOne(targetAccess(context), targetKey(context, object), { checksums: true }),
  ]);
  return { source: source.object, target: target.object, failure: source.failure ?? target.failure };
}

/** Whether both sides hold the same bytes now; what cannot be looked at or compared is `unverifiable`. */
export async function compareByChecksums(
  context: BucketsContext,
  object: BatchObject,
): Promise<"same" | "different" | "unverifiable"> {
  const { source, target } = await headBothSides(context, object);
  if (source === null || target === null) return "unverifiable";
  return checksumVerdict(source.checksums, target.checksums);
}
