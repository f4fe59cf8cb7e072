/** What Tranship asks of an object store: eight calls, with the failure of one object as data. */

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
  /** Whether more follow after the last of `objects`. */
  readonly more: boolean;
}

/** How something is encrypted at rest. */
export interface Encryption {
  /** As S3 names it: `AES256`, `aws:kms`, … */
  readonly algorithm: string;
  /** With KMS: the key, where it is named. */
  readonly keyId: string | null;
}

/** All that HEAD tells of an object. */
export interface ObjectFacts extends ListedObject {
  /** Archived and not restored: it cannot be read or copied now. */
  readonly needsRestore: boolean;
  readonly contentType: string | null;
  /** Null when the store does not say. */
  readonly encryption: Encryption | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 also where the store does not tell. */
  readonly tagCount: number;
  /** Empty unless asked for. */
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
   * Replace no object: by the store itself (`If-None-Match: *`) where it keeps to that, elsewhere by a look at the
   * target immediately before the request, a second at most.
   */
  readonly onlyIfAbsent: boolean;
  /** Without `onlyIfAbsent`: the ETag of the one object that may be replaced, in the same ways; else any may. */
  readonly replacing?: string;
  /**
   * Called at most once, as soon as the store has answered that the copy is made, with the new object's ETag, and before
   * the caller hears of it: another request may take its place on the wire.
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
  /** The source is not there (any more). */
  | { readonly kind: "source_gone" }
  /** The source is not the version asked for, or the target not what was to be there: look again. */
  | { readonly kind: "precondition_failed" }
  /** `standing`: the new object's ETag where it is there all the same, and only something that belongs to it is missing. */
  | { readonly kind: "failed"; readonly failure: ObjectFailure; readonly standing?: string };

/**
 * Runs `attempt`, which costs `writes`. Given to calls that may take more writes than their caller has paid for; the
 * adapter lets these go this way. For copies it waits until the bucket's rate allows it, and runs `attempt` again for as
 * long as it is rejected with `store_throttled`; throws `stopped` when `signal` was aborted before. For deletions,
 * whose evidence grows old, it counts and neither waits nor repeats.
 */
export type WritePass = <Result>(
  writes: number,
  attempt: () => Promise<Result>,
  signal?: AbortSignal,
  terms?: PassTerms,
) => Promise<Result>;

export interface PassTerms {
  /**
   * The attempt does no harm a second time: what passes by itself (`store_unavailable`) is repeated here for a while too. Without
   * it the whole copy begins anew, and one of a thousand parts that finds its connection closed costs all the others.
   */
  readonly isRepeatable?: boolean;
  /**
   * Belongs to a request that has been let go, and waiting would age its evidence: it goes at once, and later requests
   * wait for it. Throws `stopped` when it writes and no write may begin any more.
   */
  readonly isImmediate?: boolean;
}

/** For callers without limits. */
export const freePass: WritePass = (_writes, attempt) => attempt();

/** An object to delete, as it was when it was looked at last. */
export interface Deletion {
  readonly key: string;
  readonly etag: string;
  /** Epoch ms, exact to the second; none where it is not known. */
  readonly modifiedAt?: number;
}

export interface DeletionTerms {
  readonly pass?: WritePass;
  /** Asked at the moment each request is written: whether what it rests on is still young enough. */
  readonly mayBegin?: () => boolean;
}

export interface DeleteResult {
  readonly key: string;
  /** Null: deleted, or not there. */
  readonly failure: ObjectFailure | null;
  /** The answer does not settle it, and the object may be gone: look again before calling it by `failure`. */
  readonly isUnsettled?: boolean;
}

/** By what a request is kept from changing anything but what it was meant to; `unknown` until a request has shown it. */
export type GuardedBy = "store" | "look" | "unknown";

/** What keeps a job from changing objects that others have put in a place since it looked there. */
export interface WriteProtection {
  readonly copies: GuardedBy;
  readonly deletions: GuardedBy;
  /** Where copies are guarded by looks: the median time from a look to the answer of its copy, ms; else null. */
  readonly copyGapMs: number | null;
}

/** `not_told`: the store does not know the question, the account may not ask it, or the object is gone. */
export type ObjectAcl = "private" | "shared" | "not_told";

export interface BucketFacts {
  readonly exists: boolean;
  readonly versioning: "off" | "enabled" | "suspended";
  /** Another name of a bucket (an access point's alias): one object may then be seen under two names. */
  readonly isAlias: boolean;
  /** What objects get that are written or copied there without saying how; null when the store does not tell. */
  readonly defaultEncryption: Encryption | null;
}

/**
 * An object store. Every call may throw a `DomainError` with `store_throttled` or `store_unavailable` (worth
 * repeating, nothing is known of the effect), `store_denied`, `store_credentials`, `bucket_missing` or `store_refused` (not worth it),
 * `stopped` when `signal` was aborted before the request began. A request that has begun is never cut short by `signal`.
 */
export interface ObjectStore {
  /** Tells whether two stores are the same endpoint with the same buckets, and can copy between them. */
  readonly endpoint: string;
  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage>;
  /** Null when there is no such object. With `checksums`, asks for the stored checksums too. */
  head(
    at: { readonly bucket: string; readonly key: string },
    options?: { readonly checksums?: boolean },
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null>;
  /** Server-side copy with metadata, tags, content headers and storage class, pinned to `source.etag`. */
  copy(request: CopyRequest, signal?: AbortSignal, pass?: WritePass): Promise<CopyResult>;
  /**
   * After a copy that was cut off, or whose answer was lost, and whose object stands at the target with `targetEtag`:
   * does what that copy may have left undone, which with some stores are the tags of a copy in parts. Costs nothing for
   * a small object. `copied` when nothing is missing (any more); `precondition_failed` when another object stands there.
   */
  finishCopy(
    request: CopyRequest,
    targetEtag: string,
    signal?: AbortSignal,
    pass?: WritePass,
  ): Promise<CopyResult>;
  /**
   * Deletes up to 1,000 objects, each only if its ETag still is `etag` where the store can check that. Where it cannot
   * and keeps versions, a newer one that the deletion has hidden is brought back: the object has changed then.
   */
  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    terms?: DeletionTerms,
  ): Promise<readonly DeleteResult[]>;
  /** The body of a (small) object, in chunks; throws `store_refused` when it is not there. */
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
   * Of an object that is not there: the id of a version other than `object` that a delete marker hides; null where there
   * is none, the bucket keeps no versions, or they may not be listed.
   */
  hiddenVersion(bucket: string, object: Deletion, signal?: AbortSignal): Promise<string | null>;
  /** What is known by now; nothing is asked. */
  protection(): WriteProtection;
  /** Whether the object's access control list grants anything to others than its owner: copies are private. */
  acl(at: { readonly bucket: string; readonly key: string }, signal?: AbortSignal): Promise<ObjectAcl>;
  bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts>;
  /** Names of the visible buckets: proves that endpoint and credentials work. */
  ping(signal?: AbortSignal): Promise<void>;
}

/** Requests sent to stores, by what they were; `throttled` counts the rejected ones among them. */
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
