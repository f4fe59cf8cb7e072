/** Which version of a source an object of a batch is: the one that was planned, until a newer one is moved in its place. */

import type { BatchObject } from "../domain/batch.ts";
import { looksIdentical, type Seen } from "../domain/verdict.ts";

/** A version as a look shows it. */
export type SourceVersion = Seen & { readonly storageClass: string | null };

/** `object` as it would be at another version of its source. */
export function atVersion(object: BatchObject, source: SourceVersion): BatchObject {
  if (looksIdentical(source, object)) return object;
  return { ...object, etag: source.etag, size: source.size, storageClass: source.storageClass };
}

/** The version that is moved from now on, if the source was overwritten: it goes round again. */
export function adoptVersion(object: BatchObject, source: SourceVersion): void {
  if (looksIdentical(source, object)) return;
  object.etag = source.etag;
  object.size = source.size;
  object.storageClass = source.storageClass;
}
