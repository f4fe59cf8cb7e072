/** Access of stages to the objects of the source and of the target bucket. */

import type { BucketAccess } from "./head-many.ts";
import type { BucketsContext, SourceContext } from "./stage-contexts.ts";

/** The key of `object` in the target bucket. */
export function targetKey(
  { relocation }: Pick<SourceContext, "relocation">,
  object: { readonly key: string },
): string {
  return relocation.targetKey(object.key);
}

/** The target keys of `objects`, in their order. */
export function targetKeys(
  context: Pick<SourceContext, "relocation">,
  objects: readonly { readonly key: string }[],
): string[] {
  return objects.map((object) => targetKey(context, object));
}

export function sourceAccess({
  source: store,
  relocation,
  concurrency,
  signal,
}: SourceContext): BucketAccess {
  return { store, bucket: relocation.source.bucket, concurrency, signal };
}

export function targetAccess({
  target: store,
  relocation,
  concurrency,
  signal,
}: BucketsContext): BucketAccess {
  return { store, bucket: relocation.target.bucket, concurrency, signal };
}
