/** ObjectStore: the operations Tranship needs of an object store. The failure of a single object is a result, not an error. */

import type { ExceptionCode } from "../domain/batch.ts";
import type { Checksum, Seen } from "../domain/verdict.ts";

/** An object as a listing shows it. */
export interface ListedObject extends Seen {
  readonly key: string;
  /** Null stands for STANDARD. */
  readonly storageClass: string | null;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

export interface ListRequest {
  readonly bucket: string;
  readonly prefix: string;
  /** Exclusive, need not exist; null starts at the beginning. */
  readonly startAfter: string | null;
  /** 1–1,000. */
  readonly limit: number;
}

export interface ListPage {
  /** In UTF-8 byte order of the keys. */
  readonly objects: readonly ListedObject[];
  /** Whether more objects follow the last of `objects`. */
  readonly more: boolean;
}

/** Encryption at rest. */
export interface Encryption {
  /** As S3 names it: `AES256`, `aws:kms`, … */
  readonly algorithm: string;
  /** With KMS: the id of the key, where it is known. */
  readonly keyId: string | null;
}

/** The result of a HEAD request. */
export interface ObjectFacts extends ListedObject {
  /** Archived and not restored: it cannot be read or copied now. */
  readonly needsRestore: boolean;
  readonly contentType: string | null;
  /** Null when the store does not give it. */
  readonly encryption: Encryption | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 also where the store does not give it. */
  readonly tagCount: number;
  /** Empty unless requested. */
  readonly checksums: readonly Checksum[];
}

export interface CopyRequest {
  readonly source: {
    readonly bucket: string;
    readonly key: string;
    readonly etag: string;
    readonly size: number;
  };
  readonly target: { readonly bucket: string; readonly key: string };
  /** Kept on the target; null stands for STANDARD. */
  readonly storageClass: string | null;
  /**
   * Replace no object: by the store's own condition (`If-None-Match: *`) where it honours it, otherwise by a HEAD request for
   * the target at most a second before the copy.
   */
  readonly onlyIfAbsent: boolean;
  /** Without `onlyIfAbsent`: the ETag of the only object that may be replaced, checked likewise; absent: any may be. */
  readonly replacing?: string;
  /**
   * Called at most once with the new object's ETag, as soon as the store has confirmed the copy and before the promise
   * resolves: another request may use its connection.
   */
  onAnswered?(etag: string): void;
}

/** Why one object could not be copied or deleted; the job goes on. */
export interface ObjectFailure {
  readonly code: ExceptionCode;
  readonly message: string;
}

export type CopyResult =
  /** `etag` of the new object. */
  | { readonly kind: "copied"; readonly etag: string }
  /** The source does not exist (any more). */
  | { readonly kind: "source_gone" }
  /** The source is not the requested version, or the target is not as expected: check both again. */
  | { readonly kind: "precondition_failed" }
  /** `createdEtag`: the new object's ETag where it was made and only a part of it (its tags) is missing. */
  | { readonly kind: "failed"; readonly failure: ObjectFailure; readonly createdEtag?: string };

/**
 * Runs `attempt`, which costs `writes`. Passed to calls that may need more writes than their caller has reserved; the
 * adapter sends the additional ones through it. For copies it waits until the bucket's rate allows it, and repeats `attempt`
 * while it is rejected with `store_throttled`; throws `stopped` when `signal` was aborted before. For deletions, whose
 * evidence must stay fresh, it only counts and neither waits nor repeats.
 */
export type WriteLimiter = <Result>(
  writes: number,
  attempt: () => Promise<Result>,
  signal?: AbortSignal,
  terms?: WriteTerms,
) => Promise<Result>;

export interface WriteTerms {
  /**
   * The attempt is idempotent, so `store_unavailable` is retried here for a while too. Otherwise the whole copy would be
   * repeated, and one closed connection would cost all the other parts of a multipart copy.
   */
  readonly isRepeatable?: boolean;
  /**
   * The attempt belongs to a request that has already been admitted, and waiting would age its evidence: it is sent at once,
   * and later requests are delayed for it. Throws `stopped` when it writes and no write may begin any more.
   */
  readonly isImmediate?: boolean;
}

/** For callers without limits. */
export const unlimitedWrites: WriteLimiter = (_writes, attempt) => attempt();

/** An object to delete, as it was at the last check. */
export interface Deletion {
  readonly key: string;
  readonly etag: string;
  /** Epoch ms, exact to the second; none where it is not known. */
  readonly modifiedAt?: number;
}

export interface DeletionTerms {
  readonly limiter?: WriteLimiter;
  /** Called when each request is sent: whether its evidence is still fresh enough. */
  readonly mayBegin?: () => boolean;
}

export interface DeleteResult {
  readonly key: string;
  /** Null: deleted, or it did not exist. */
  readonly failure: ObjectFailure | null;
  /** The outcome is unknown, and the object may be gone: check it again before reporting `failure`. */
  readonly isUnsettled?: boolean;
}

/**
 * What ensures that a request changes only the intended object: the store's own conditions, or a check (`look`) immediately
 * before the request; `unknown` until a request has shown it.
 */
export type GuardedBy = "store" | "look" | "unknown";

/** The protection of objects that other clients have put to a key since a job has checked it. */
export interface WriteProtection {
  readonly copies: GuardedBy;
  readonly deletions: GuardedBy;
  /** Where copies are guarded by `look`: the median time from the check to the answer of the copy, ms; else null. */
  readonly copyGapMs: number | null;
}

/** `not_told`: the store does not support ACLs, the account may not read them, or the object is gone. */
export type ObjectAcl = "private" | "shared" | "not_told";

export interface BucketFacts {
  readonly exists: boolean;
  readonly versioning: "off" | "enabled" | "suspended";
  /** The name is an alias of a bucket (an access point's): one object may be reachable under two bucket names. */
  readonly isAlias: boolean;
  /** Default encryption of objects written or copied there; null when the store does not give it. */
  readonly defaultEncryption: Encryption | null;
}

/**
 * An object store. Every call may throw a `DomainError` with `store_throttled` or `store_unavailable` (may be repeated, the
 * effect is unknown), `store_denied`, `store_credentials`, `bucket_missing` or `store_refused` (repeating does not help),
 * `stopped` when `signal` was aborted before the request began. A request that has begun is never interrupted by `signal`.
 */
export interface ObjectStore {
  /** Identity of the endpoint: stores with equal values have the same buckets and can copy between them. */
  readonly endpoint: string;
  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage>;
  /** Null when there is no such object. With `checksums`, the stored checksums are requested too. */
  head(
    at: { readonly bucket: string; readonly key: string },
    options?: { readonly checksums?: boolean },
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null>;
  /** Server-side copy with metadata, tags, content headers and storage class, pinned to `source.etag`. */
  copy(request: CopyRequest, signal?: AbortSignal, limiter?: WriteLimiter): Promise<CopyResult>;
  /**
   * Completes a copy that was interrupted, or whose answer was lost, and whose object exists at the target with
   * `targetEtag`: some stores still need the tags of a multipart copy. No request for an object that was copied in one.
   * `copied` when nothing is missing (any more); `precondition_failed` when another object exists at the target.
   */
  finishCopy(
    request: CopyRequest,
    targetEtag: string,
    signal?: AbortSignal,
    limiter?: WriteLimiter,
  ): Promise<CopyResult>;
  /**
   * Deletes up to 1,000 objects, each only if its ETag still is `etag`, where the store can check that. In a versioned bucket
   * of a store that cannot, a newer version hidden by the deletion is restored and reported as changed.
   */
  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    terms?: DeletionTerms,
  ): Promise<readonly DeleteResult[]>;
  /** The body of a (small) object, in chunks; throws `store_refused` when it does not exist. */
  read(
    at: { readonly bucket: string; readonly key: string },
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Writes a small object; only preflight's canary uses it. */
  write(
    at: { readonly bucket: string; readonly key: string },
    body: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * For an object that does not exist: the id of a version other than `object` that a delete marker hides; null where there
   * is none, the bucket is not versioned, or versions may not be listed.
   */
  hiddenVersion(bucket: string, object: Deletion, signal?: AbortSignal): Promise<string | null>;
  /** What is known so far; sends no request. */
  protection(): WriteProtection;
  /** Whether the object's access control list grants anything to others than its owner; copies do not keep such grants. */
  acl(at: { readonly bucket: string; readonly key: string }, signal?: AbortSignal): Promise<ObjectAcl>;
  bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts>;
  /** Resolves when a request for the bucket list has succeeded: endpoint and credentials work. */
  ping(signal?: AbortSignal): Promise<void>;
}

/** Numbers of requests sent to stores, by kind; `throttled` counts the rejected ones among them. */
export interface RequestCounts {
  list: number;
  copy: number;
  head: number;
  delete: number;
  other: number;
  throttled: number;
}

/** No requests. */
export function noRequests(): RequestCounts {
  return { list: 0, copy: 0, head: 0, delete: 0, other: 0, throttled: 0 };
}
