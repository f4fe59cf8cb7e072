/** Which version of a source an object of a batch is: the one that was planned, until a newer one is moved in its place. */

import type { BatchObject } from "../domain/batch.ts";
import { isSameVersion, type SeenVersion } from "../domain/verdict.ts";

/** A version as a look shows it. */
export type SourceVersion = SeenVersion & { readonly storageClass: string | null };

/** `object` as it would be at another version of its source. */
export function atVersion(object: BatchObject, source: SourceVersion): BatchObject {
  if (isSameVersion(object, source)) return object;
  const { etag, size, storageClass, modifiedAt } = source;
  return { ...object, etag, size, storageClass, modifiedAt };
}

/** The version that is moved from now on, if the source was overwritten: it goes round again. */
export function adoptVersion(object: BatchObject, source: BatchObject | SourceVersion): void {
  if (isSameVersion(object, source)) return;
  object.etag = source.etag;
  object.size = source.size;
  object.storageClass = source.storageClass;
  object.modifiedAt = source.modifiedAt;
}
