/** The version of the source that an object of a batch stands for: the planned one, until a newer one is adopted. */

import type { BatchObject } from "../domain/batch.ts";
import { isSameVersion, type SeenVersion } from "../domain/verdict.ts";

/** A version of a source as read from the store. */
export type SourceVersion = SeenVersion & { readonly storageClass: string | null };

/** `object` with another version of its source. */
export function atVersion(object: BatchObject, source: SourceVersion): BatchObject {
  if (isSameVersion(object, source)) return object;
  const { etag, size, storageClass, modifiedAt } = source;
  return { ...object, etag, size, storageClass, modifiedAt };
}

/** Makes `source` the version that `object` stands for, if it is another one. */
export function adoptVersion(object: BatchObject, source: BatchObject | SourceVersion): void {
  if (isSameVersion(object, source)) return;
  object.etag = source.etag;
  object.size = source.size;
  object.storageClass = source.storageClass;
  object.modifiedAt = source.modifiedAt;
}
