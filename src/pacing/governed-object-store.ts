/** An object store that keeps to the job's limits and the bucket's rate, and repeats what is worth repeating. */

import { backoffMs } from "../domain/backoff.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import type { Pace } from "../domain/pace.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  BucketFacts,
  CopyRequest,
  CopyResult,
  DeleteResult,
  ListPage,
  ListRequest,
  ObjectFacts,
  ObjectStore,
} from "../ports/object-store.ts";
import type { BucketGovernor } from "./bucket-governor.ts";

const THROTTLED = { firstMs: 200, mostMs: 10_000 } as const;
const UNAVAILABLE = { firstMs: 100, mostMs: 5_000 } as const;
/** An answer that never came is asked for again this long; then the stage is held and shown to the operator. */
const UNAVAILABLE_BUDGET_MS = 30_000;

export interface GovernedParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly requestPace: Pace;
  readonly bytePace: Pace;
  /** One governor for each bucket, shared by all jobs on the same store. */
  governorOf(bucket: string): BucketGovernor;
  random?(): number;
}

/** An object store whose deletions are paced by the caller, who must look around between waiting and deleting. */
export interface PacedObjectStore extends ObjectStore {
  makeRoom(bucket: string, writes: number, signal?: AbortSignal): Promise<void>;
}

type At = { readonly bucket: string; readonly key: string };

/**
 * Wraps a store for one job. Throttling is waited out for as long as it lasts: it never fails a job.
 * Other passing faults are repeated for 30 s, then thrown as `store_unavailable`.
 */
export class GovernedObjectStore implements PacedObjectStore {
  readonly #parts: GovernedParts;

  constructor(parts: GovernedParts) {
    this.#parts = parts;
  }

  get endpoint(): string {
    return this.#parts.store.endpoint;
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    return this.#repeat(null, 0, () => this.#parts.store.list(request, signal), signal);
  }

  head(
    at: At,
    options?: { readonly checksums?: boolean },
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null> {
    return this.#repeat(null, 0, () => this.#parts.store.head(at, options, signal), signal);
  }

  async copy(request: CopyRequest, signal?: AbortSignal): Promise<CopyResult> {
    const { clock, bytePace } = this.#parts;
    await this.#wait(bytePace.reserve(request.source.size, clock.now()), signal);
    return this.#repeat(request.target.bucket, 1, () => this.#parts.store.copy(request, signal), signal);
  }

  /** Waits until `writes` more may go to `bucket`; whoever deletes waits here first and then gathers his evidence. */
  async makeRoom(bucket: string, writes: number, signal?: AbortSignal): Promise<void> {
    const now = this.#parts.clock.now();
    const governorMs = this.#parts.governorOf(bucket).reserve(writes, now);
    await this.#wait(Math.max(governorMs, this.#parts.requestPace.reserve(1, now)), signal);
  }

  /**
   * One attempt, without waiting and without repeating: evidence for a deletion grows old while one waits. Throws
   * `store_throttled` or `store_unavailable` when it did not come through; look again before the next attempt.
   */
  async deleteObjects(
    bucket: string,
    objects: readonly { readonly key: string; readonly etag: string }[],
    signal?: AbortSignal,
  ): Promise<readonly DeleteResult[]> {
    const governor = this.#parts.governorOf(bucket);
    try {
      const results = await this.#parts.store.deleteObjects(bucket, objects, signal);
      governor.succeeded(objects.length, this.#parts.clock.now());
      return results;
    } catch (error) {
      if (hasCode(error, "store_throttled")) governor.throttled(this.#parts.clock.now());
      throw error;
    }
  }

  read(at: At, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#parts.store.read(at, signal);
  }

  write(at: At, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#repeat(at.bucket, 1, () => this.#parts.store.write(at, body, signal), signal);
  }

  bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts> {
    return this.#repeat(null, 0, () => this.#parts.store.bucketFacts(bucket, signal), signal);
  }

  ping(signal?: AbortSignal): Promise<void> {
    return this.#parts.store.ping(signal);
  }

  /** `bucket` is the one written to, null for reads; `writes` what the attempt costs its budget. */
  async #repeat<Result>(
    bucket: string | null,
    writes: number,
    attempt: () => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const { clock, requestPace, governorOf } = this.#parts;
    const governor = bucket === null ? null : governorOf(bucket);
    let failingSince: number | null = null;
    for (let count = 1; ; count += 1) {
      const now = clock.now();
      const waitMs = Math.max(requestPace.reserve(1, now), governor?.reserve(writes, now) ?? 0);
      await this.#wait(waitMs, signal);
      try {
        const result = await attempt();
        governor?.succeeded(writes, clock.now());
        return result;
      } catch (error) {
        failingSince = this.#rejected(error, failingSince, governor);
        const rule = hasCode(error, "store_throttled") ? THROTTLED : UNAVAILABLE;
        await this.#wait(backoffMs(rule, count, (this.#parts.random ?? Math.random)()), signal);
      }
    }
  }

  /** Notes a failed attempt; throws it on when repeating is not worth it (any more). */
  #rejected(error: unknown, failingSince: number | null, governor: BucketGovernor | null): number | null {
    const now = this.#parts.clock.now();
    if (hasCode(error, "store_throttled")) {
      governor?.throttled(now);
      return null;
    }
    if (!hasCode(error, "store_unavailable")) throw error;
    const since = failingSince ?? now;
    if (now - since >= UNAVAILABLE_BUDGET_MS) throw error;
    return since;
  }

  async #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (ms > 0) await this.#parts.clock.sleep(ms, signal);
    if (signal?.aborted) throw new DomainError("stopped", "the job was asked to stop");
  }
}
