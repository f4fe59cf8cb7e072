/** The decisions that can lose data, as truth tables: copy this object? is it the same? may its source go? */

import type { ExceptionCode } from "./batch.ts";
import type { OnConflict, VerifyBy } from "./job-spec.ts";

/** What a look at an object showed. `etag` has no quotes. */
export interface Seen {
  readonly size: number;
  readonly etag: string;
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
  | { readonly copy: false; readonly because: "target_exists"; readonly identical: boolean };

/**
 * Must this object be copied?
 *
 * | target    | an earlier run may have copied it | onConflict     | verdict                  |
 * |-----------|-----------------------------------|----------------|--------------------------|
 * | absent    | any                               | any            | copy                     |
 * | identical | yes                               | any            | already there            |
 * | identical | no                                | fail           | target_exists            |
 * | identical | no                                | skip-identical | already there            |
 * | identical | no                                | overwrite      | copy                     |
 * | different | any                               | overwrite      | copy                     |
 * | different | any                               | other          | target_exists            |
 */
export function copyVerdict(
  source: Seen,
  target: Seen | null,
  onConflict: OnConflict,
  mayBeOurs: boolean,
): CopyVerdict {
  if (target === null) return { copy: true };
  const identical = looksIdentical(source, target);
  if (identical && (mayBeOurs || onConflict === "skip-identical")) {
    return { copy: false, because: "already_there" };
  }
  if (onConflict === "overwrite") return { copy: true };
  return { copy: false, because: "target_exists", identical };
}

/** Same size and same ETag. Equal ETags of one kind prove equal bytes; unequal ones prove nothing. */
export function looksIdentical(source: Seen, target: Seen): boolean {
  return source.size === target.size && source.etag !== "" && source.etag === target.etag;
}

export type MatchVerdict = "same" | "different" | "ask_checksums";

/**
 * Is the copy the same as the source, as far as a listing can tell?
 *
 * | verify   | sizes  | ETags   | verdict                                                        |
 * |----------|--------|---------|----------------------------------------------------------------|
 * | any      | differ | any     | different                                                      |
 * | size     | equal  | any     | same                                                           |
 * | etag     | equal  | equal   | same                                                           |
 * | etag     | equal  | differ  | ask_checksums: multipart, KMS and SSE-C ETags are no MD5       |
 * | checksum | equal  | any     | ask_checksums                                                  |
 */
export function matchVerdict(source: Seen, target: Seen, by: VerifyBy): MatchVerdict {
  if (source.size !== target.size) return "different";
  if (by === "size") return "same";
  if (by === "etag" && looksIdentical(source, target)) return "same";
  return "ask_checksums";
}

/**
 * Compares stored checksums; only two whole-object values of one algorithm say anything.
 * With none in common the copy is `unverifiable`, never "ok".
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

/** All that was looked at immediately before a source may be deleted. */
export interface DeleteEvidence {
  /** The source as copied. */
  readonly copied: Seen;
  /** ETag of the copy that was verified, null when it never was. */
  readonly verifiedEtag: string | null;
  readonly sourceNow: Seen | null;
  readonly targetNow: Seen | null;
  /** Whether any row, in any reference and whatever its `where`, may still name the old key. */
  readonly isStillNamed: boolean;
}

export type DeleteVerdict =
  | { readonly act: "delete" }
  | { readonly act: "already_gone" }
  | { readonly act: "keep"; readonly code: ExceptionCode };

/**
 * May this source be deleted? The first line that holds decides.
 *
 * | evidence                                   | verdict                  |
 * |--------------------------------------------|--------------------------|
 * | the copy was never verified                | keep: unverifiable       |
 * | the target is not there now                | keep: target_lost        |
 * | the target is not the copy that was verified | keep: target_changed   |
 * | a row names the old key                    | keep: still_referenced   |
 * | the source is not there now                | already gone             |
 * | the source is not the version copied       | keep: source_changed     |
 * | otherwise                                  | delete                   |
 */
export function deleteVerdict(evidence: DeleteEvidence): DeleteVerdict {
  const { copied, verifiedEtag, sourceNow, targetNow } = evidence;
  if (verifiedEtag === null) return { act: "keep", code: "unverifiable" };
  if (targetNow === null) return { act: "keep", code: "target_lost" };
  if (targetNow.etag !== verifiedEtag || targetNow.size !== copied.size) {
    return { act: "keep", code: "target_changed" };
  }
  if (evidence.isStillNamed) return { act: "keep", code: "still_referenced" };
  if (sourceNow === null) return { act: "already_gone" };
  if (sourceNow.etag !== copied.etag || sourceNow.size !== copied.size) {
    return { act: "keep", code: "source_changed" };
  }
  return { act: "delete" };
}
