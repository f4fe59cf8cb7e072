/** The decisions that can lose data, as truth tables: copy an object? is the copy the same? may the source be deleted? */

import type { ExceptionCode } from "./batch.ts";
import type { OnConflict, VerifyBy } from "./job-spec.ts";

/** An object's state as read from the store. `etag` has no quotes; `size` is in bytes. */
export interface Seen {
  readonly size: number;
  readonly etag: string;
}

/** As {@link Seen}, with the time of the last change. */
export interface SeenVersion extends Seen {
  /** `LastModified`, epoch ms; HEAD requests give it to the second only. */
  readonly modifiedAt: number;
}

/** A source as it was when it was copied; `modifiedAt` is null where it was not recorded. */
export interface CopiedVersion extends Seen {
  readonly modifiedAt: number | null;
}

/** A checksum S3 keeps with an object; only whole-object ones compare across different part layouts. */
export interface Checksum {
  readonly algorithm: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  readonly value: string;
}

export type CopyVerdict =
  | { readonly copy: true }
  | { readonly copy: false; readonly because: "already_there" }
  | {
      readonly copy: false;
      readonly because: "target_exists" | "target_changed";
      readonly identical: boolean;
    };

/** What is known of the object at the target. */
export interface CopyHistory {
  /** Proved by the recorded ETag, or (for an interrupted attempt) by being identical to the source. */
  readonly isOwnCopy: boolean;
  readonly wasCopiedBefore: boolean;
}

/**
 * Must this object be copied? The first matching line decides.
 *
 * | target                                              | onConflict     | verdict                              |
 * |-----------------------------------------------------|----------------|--------------------------------------|
 * | absent                                              | any            | copy                                 |
 * | this job's own copy                                 | any            | already there                        |
 * | another object, though this job copied here before  | any            | target_changed: not this job's copy  |
 * | identical to the source                             | skip-identical | already there                        |
 * | any                                                 | overwrite      | copy                                 |
 * | any                                                 | other          | target_exists                        |
 */
export function copyVerdict(
  source: Seen,
  target: Seen | null,
  onConflict: OnConflict,
  history: CopyHistory,
): CopyVerdict {
  if (target === null) return { copy: true };
  if (history.isOwnCopy) return { copy: false, because: "already_there" };
  const identical = looksIdentical(source, target);
  if (history.wasCopiedBefore) return { copy: false, because: "target_changed", identical };
  if (identical && onConflict === "skip-identical") return { copy: false, because: "already_there" };
  if (onConflict === "overwrite") return { copy: true };
  return { copy: false, because: "target_exists", identical };
}

/** Same size and same ETag. Equal ETags prove equal bytes; unequal ones prove nothing. */
export function looksIdentical(source: Seen, target: Seen): boolean {
  return source.size === target.size && source.etag !== "" && source.etag === target.etag;
}

/** HEAD requests give `LastModified` to the second. */
const SECOND_MS = 1000;
/** A copy that is newer than its source by this much was certainly begun after the source's last change. */
const SURELY_LATER_MS = 2000;

/**
 * Is the source unchanged since it was copied? Bytes are compared by size and ETag; metadata, which can be changed in place
 * under the same ETag (CopyObject onto itself), by the time of the last change.
 *
 * | size and ETag | last change                                                      | unchanged |
 * |---------------|------------------------------------------------------------------|-----------|
 * | differ        | any                                                              | no        |
 * | equal         | in the recorded second                                           | yes       |
 * | equal         | in another second                                                | no        |
 * | equal         | none recorded; at least two seconds older than the copy          | yes       |
 * | equal         | none recorded; otherwise                                         | no        |
 *
 * Where a time was recorded, a newer copy proves nothing: the copy may have been modified since, and a multipart copy reads
 * the metadata before its own `LastModified`. `copy` is the object at the target, with the time of the same store. A change
 * in place within the same second as the change before it cannot be detected.
 */
export function isAsCopied(copied: CopiedVersion, now: SeenVersion, copy: SeenVersion): boolean {
  if (now.etag !== copied.etag || now.size !== copied.size) return false;
  if (copied.modifiedAt === null) return now.modifiedAt + SURELY_LATER_MS <= copy.modifiedAt;
  return isInSameSecond(copied.modifiedAt, now.modifiedAt);
}

/** Whether a source's state `now` is the version `known`, as far as size, ETag and time of change tell. */
export function isSameVersion(known: CopiedVersion, now: CopiedVersion): boolean {
  return (
    looksIdentical(known, now) &&
    (known.modifiedAt === null || isInSameSecond(known.modifiedAt, now.modifiedAt))
  );
}

function isInSameSecond(a: number | null, b: number | null): boolean {
  return a !== null && b !== null && Math.floor(a / SECOND_MS) === Math.floor(b / SECOND_MS);
}

export type MatchVerdict = "same" | "different" | "ask_checksums";

/**
 * Is the copy the same as the source, by what a listing gives?
 *
 * | verify   | sizes  | ETags   | verdict                                                        |
 * |----------|--------|---------|----------------------------------------------------------------|
 * | any      | differ | any     | different                                                      |
 * | size     | equal  | any     | same                                                           |
 * | etag     | equal  | equal   | same                                                           |
 * | etag     | equal  | differ  | ask_checksums: multipart, KMS and SSE-C ETags are not MD5      |
 * | checksum | equal  | any     | ask_checksums                                                  |
 */
export function matchVerdict(source: Seen, target: Seen, by: VerifyBy): MatchVerdict {
  if (source.size !== target.size) return "different";
  if (by === "size") return "same";
  if (by === "etag" && looksIdentical(source, target)) return "same";
  return "ask_checksums";
}

/**
 * Compares stored checksums; only whole-object values of the same algorithm are comparable.
 * With none in common the copy is `unverifiable`, never `same`.
 */
export function checksumVerdict(
  source: readonly Checksum[],
  target: readonly Checksum[],
): "same" | "different" | "unverifiable" {
  for (const a of source) {
    const b = target.find((other) => other.algorithm === a.algorithm && other.type === a.type);
    if (b === undefined || a.type !== "FULL_OBJECT") continue;
    return a.value === b.value ? "same" : "different";
  }
  return "unverifiable";
}

/** The evidence gathered immediately before a source is deleted. */
export interface DeleteEvidence {
  /** The source as copied. */
  readonly copied: CopiedVersion;
  /** ETag of the copy that was verified, null when it never was. */
  readonly verifiedEtag: string | null;
  readonly sourceNow: SeenVersion | null;
  readonly targetNow: SeenVersion | null;
  /** Whether any row, in any reference and whatever its `where`, may still name the old key. */
  readonly isStillNamed: boolean;
}

export type DeleteVerdict =
  | { readonly act: "delete" }
  | { readonly act: "already_gone" }
  | { readonly act: "keep"; readonly code: ExceptionCode };

/**
 * May this source be deleted? The first matching line decides.
 *
 * | evidence                                   | verdict                  |
 * |--------------------------------------------|--------------------------|
 * | the copy was never verified                | keep: unverifiable       |
 * | the target is not there now                | keep: target_lost        |
 * | the target is not the copy that was verified | keep: target_changed   |
 * | the source is not there now                | already gone             |
 * | a row names the old key                    | keep: still_referenced   |
 * | the source is not as it was copied         | keep: source_changed     |
 * | otherwise                                  | delete                   |
 */
export function deleteVerdict(evidence: DeleteEvidence): DeleteVerdict {
  const { copied, verifiedEtag, sourceNow, targetNow } = evidence;
  if (verifiedEtag === null) return { act: "keep", code: "unverifiable" };
  if (targetNow === null) return { act: "keep", code: "target_lost" };
  if (targetNow.etag !== verifiedEtag || targetNow.size !== copied.size) {
    return { act: "keep", code: "target_changed" };
  }
  if (sourceNow === null) return { act: "already_gone" };
  if (evidence.isStillNamed) return { act: "keep", code: "still_referenced" };
  if (!isAsCopied(copied, sourceNow, targetNow)) return { act: "keep", code: "source_changed" };
  return { act: "delete" };
}
