/** The manifest field of a copy, and why a copy cannot have one. */

import type { NumberedCopy } from "../../ports/copy-engine.ts";
import type { CopyRequest } from "../../ports/object-store.ts";
import { encodeTask, MOST_FIELD_CHARACTERS } from "./copy-task.ts";
import type { JobTerms } from "./user-arguments.ts";

/** The function copies in one request within its timeout; larger objects are copied in parts by the service. */
const MOST_BYTES = 2 ** 30;
const ARCHIVED: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** The key field of `copy`'s line in the manifest. */
export function taskField({ number, request }: NumberedCopy): string {
  const { source, storageClass, replacing, onlyIfAbsent } = request;
  return encodeTask({
    number,
    etag: source.etag,
    size: source.size,
    storageClass,
    replacing: onlyIfAbsent ? null : (replacing ?? null),
    key: source.key,
  });
}

/** Why the function cannot make this copy, or null when it can. `relocation`: the prefixes that it exchanges. */
export function objectionTo(
  request: CopyRequest,
  relocation: Pick<JobTerms, "sourceBucket" | "sourcePrefix" | "targetBucket" | "targetPrefix">,
): string | null {
  const { source, target, storageClass } = request;
  if (source.size > MOST_BYTES) return "the object is larger than 1 GiB";
  if (storageClass !== null && ARCHIVED.has(storageClass)) return `the object is archived (${storageClass})`;
  // The function knows the prefixes only, and maps the key by itself.
  const { sourceBucket, sourcePrefix, targetBucket, targetPrefix } = relocation;
  const isMapped =
    source.bucket === sourceBucket &&
    target.bucket === targetBucket &&
    source.key.startsWith(sourcePrefix) &&
    target.key === targetPrefix + source.key.slice(sourcePrefix.length);
  if (!isMapped) return "the new key does not follow from the prefixes";
  // The largest number, so that the answer holds for any.
  const { length } = taskField({ number: Number.MAX_SAFE_INTEGER, request });
  return length > MOST_FIELD_CHARACTERS ? "the key is too long for a manifest" : null;
}
