/** `ReadOnlyStore`: a store through which preflight cannot write, and which counts its reads. */

import { DomainError } from "../../domain/errors.ts";
import type { RateLimitedStore } from "../../pacing/rate-limited-store.ts";
import type {
  BucketFacts,
  Deletion,
  ListPage,
  ListRequest,
  ObjectAcl,
  ObjectFacts,
  ObjectStore,
  WriteProtection,
} from "../../ports/object-store.ts";

type At = { readonly bucket: string; readonly key: string };

/** Passes reads to a store; methods that would write reject with `internal`. */
export class ReadOnlyStore implements RateLimitedStore {
  readonly #store: ObjectStore;
  /** Requests so far, retries not counted. */
  readonly reads = { list: 0, head: 0 };

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  get endpoint(): string {
    return this.#store.endpoint;
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    this.reads.list += 1;
    return this.#store.list(request, signal);
  }

  head(
    at: At,
    options?: { readonly checksums?: boolean },
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null> {
    this.reads.head += 1;
    return this.#store.head(at, options, signal);
  }

  read(at: At, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#store.read(at, signal);
  }

  hiddenVersion(bucket: string, object: Deletion, signal?: AbortSignal): Promise<string | null> {
    return this.#store.hiddenVersion(bucket, object, signal);
  }

  protection(): WriteProtection {
    return this.#store.protection();
  }

  acl(at: At, signal?: AbortSignal): Promise<ObjectAcl> {
    return this.#store.acl(at, signal);
  }

  bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts> {
    return this.#store.bucketFacts(bucket, signal);
  }

  ping(signal?: AbortSignal): Promise<void> {
    return this.#store.ping(signal);
  }

  copy(): Promise<never> {
    return refuse("copy");
  }

  finishCopy(): Promise<never> {
    return refuse("finish a copy");
  }

  deleteObjects(): Promise<never> {
    return refuse("delete");
  }

  write(): Promise<never> {
    return refuse("write");
  }

  reserveWrites(): Promise<never> {
    return refuse("reserve deletions");
  }

  useReservation(): Promise<never> {
    return refuse("use reserved deletions");
  }

  isOpen(): boolean {
    return true;
  }

  bulkKeys(): number {
    return 1;
  }
}

function refuse(what: string): Promise<never> {
  return Promise.reject(new DomainError("internal", `a dry run must not ${what}`));
}
