/** An object store that keeps the limits of a job, its store and each bucket, and repeats requests that failed temporarily. */

import { hasCode } from "../domain/errors.ts";
import type {
  BucketFacts,
  CopyRequest,
  CopyResult,
  DeleteResult,
  Deletion,
  DeletionTerms,
  ListPage,
  ListRequest,
  ObjectAcl,
  ObjectFacts,
  WriteLimiter,
  WriteProtection,
} from "../ports/object-store.ts";
import { chunksUntilStopped } from "./chunks-until-stopped.ts";
import type { GovernedParts } from "./governed-parts.ts";
import type { RateLimitedStore } from "./rate-limited-store.ts";
import { costWithinCopy, READ_COST, type RequestCost } from "./rates/request-cost.ts";
import { RequestLimiter } from "./rates/request-limiter.ts";
import { retryPauseMs } from "./retry-pause.ts";
import { isQuick } from "./stall-detector.ts";

/** Requests of {@link GovernedObjectStore.bucketFacts}: for existence, versioning and encryption. */
const FACTS_REQUESTS = 3;
type At = { readonly bucket: string; readonly key: string };

/**
 * Wraps a store for one job. A throttled request is repeated for as long as the store throttles, so throttling never fails a
 * job; other temporary failures are repeated for 30 s and then thrown as `store_unavailable`. Waiting throws `stopped` when
 * the signal aborts.
 */
export class GovernedObjectStore implements RateLimitedStore {
  readonly #parts: GovernedParts;
  readonly #limiter: RequestLimiter;

  constructor(parts: GovernedParts) {
    this.#parts = parts;
    this.#limiter = new RequestLimiter(parts);
  }

  get endpoint(): string {
    return this.#parts.store.endpoint;
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    return this.#repeat(READ_COST, () => this.#parts.store.list(request, signal), signal);
  }

  head(
    at: At,
    options?: { readonly checksums?: boolean },
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null> {
    return this.#repeat(READ_COST, () => this.#parts.store.head(at, options, signal), signal);
  }

  copy(request: CopyRequest, signal?: AbortSignal): Promise<CopyResult> {
    const { source, target } = request;
    const { size } = source;
    const cost = { ...READ_COST, bucket: target.bucket, writes: 1, bytes: size, isQuick: isQuick(size) };
    return this.#copying(target.bucket, cost, signal, (sendWithin) =>
      this.#parts.store.copy(request, signal, sendWithin),
    );
  }

  finishCopy(request: CopyRequest, targetEtag: string, signal?: AbortSignal): Promise<CopyResult> {
    return this.#copying(request.target.bucket, READ_COST, signal, (sendWithin) =>
      this.#parts.store.finishCopy(request, targetEtag, signal, sendWithin),
    );
  }

  reserveWrites(bucket: string, writes: number, signal?: AbortSignal): Promise<void> {
    return this.#limiter.reserveWrites(bucket, writes, signal);
  }

  useReservation(signal?: AbortSignal): Promise<boolean> {
    return this.#limiter.useReservation(signal);
  }

  bulkKeys(bucket: string): number {
    return this.#parts.governorOf(bucket).bulkKeys;
  }

  isOpen(aheadMs = 0): boolean {
    return this.#limiter.isOpenFor(aheadMs);
  }

  /**
   * One attempt, without waiting and without repeating, as evidence for a deletion ages meanwhile. Throws
   * `store_throttled` or `store_unavailable` when it failed temporarily: gather evidence again before the next attempt.
   */
  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    terms: DeletionTerms = {},
  ): Promise<readonly DeleteResult[]> {
    const limiter: WriteLimiter = (writes, attempt) => {
      this.#limiter.charge(bucket, writes);
      return this.#try({ ...READ_COST, bucket, writes }, attempt);
    };
    const attempt = () => this.#parts.store.deleteObjects(bucket, objects, signal, { ...terms, limiter });
    return this.#try({ ...READ_COST, bucket, writes: objects.length }, attempt);
  }

  async *read(at: At, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    await this.#limiter.acquire(READ_COST, signal);
    yield* chunksUntilStopped(this.#parts.store.read(at, signal), signal, (next) =>
      this.#try(READ_COST, next),
    );
  }

  write(at: At, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const cost = { ...READ_COST, bucket: at.bucket, writes: 1, bytes: body.length };
    return this.#repeat(cost, () => this.#parts.store.write(at, body, signal), signal);
  }

  hiddenVersion(bucket: string, object: Deletion, signal?: AbortSignal): Promise<string | null> {
    return this.#repeat(READ_COST, () => this.#parts.store.hiddenVersion(bucket, object, signal), signal);
  }

  protection(): WriteProtection {
    return this.#parts.store.protection();
  }

  acl(at: At, signal?: AbortSignal): Promise<ObjectAcl> {
    return this.#repeat(READ_COST, () => this.#parts.store.acl(at, signal), signal);
  }

  async bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts> {
    for (let more = 1; more < FACTS_REQUESTS; more += 1) await this.#limiter.acquire(READ_COST, signal);
    return this.#repeat(READ_COST, () => this.#parts.store.bucketFacts(bucket, signal), signal);
  }

  ping(signal?: AbortSignal): Promise<void> {
    return this.#parts.store.ping(signal);
  }

  /** Acquires `cost` for the copy; each further request of it is sent by `sendWithin`, which acquires its own. */
  #copying(
    bucket: string,
    cost: RequestCost,
    signal: AbortSignal | undefined,
    send: (sendWithin: WriteLimiter) => Promise<CopyResult>,
  ): Promise<CopyResult> {
    const { inFlight, stalls, clock } = this.#parts;
    let within = 0;
    // While requests of a copy in parts wait for their limits, the copy itself has no request in flight.
    const suspend = () => {
      inFlight?.end();
      if (cost.isQuick) stalls.ended();
    };
    const resume = () => {
      inFlight?.begin();
      if (cost.isQuick) stalls.sent(clock.now());
    };
    const sendWithin: WriteLimiter = async (writes, attempt, stop, terms = {}) => {
      if (terms.isImmediate === true) return this.#limiter.sendImmediately(bucket, writes, attempt);
      const ownCost = costWithinCopy(bucket, writes, terms);
      if (within === 0) suspend();
      within += 1;
      try {
        if (stop === undefined && signal !== undefined) return await this.#cleanUp(ownCost, attempt, signal);
        return await this.#repeat(ownCost, attempt, stop, this.#parts.confirmCopy);
      } finally {
        within -= 1;
        if (within === 0) resume();
      }
    };
    return this.#repeat(cost, () => send(sendWithin), signal, this.#parts.confirmCopy);
  }

  /** Acquires the cost of each attempt (bytes only once), has it confirmed, and repeats it after temporary failures. */
  async #repeat<Result>(
    cost: RequestCost,
    attempt: () => Promise<Result>,
    signal: AbortSignal | undefined,
    confirm?: () => Promise<void> | null,
  ): Promise<Result> {
    let failingSince: number | null = null;
    let due = cost;
    for (let count = 1; ; count += 1) {
      if (!this.#limiter.tryAcquire(due, signal)) await this.#limiter.acquire(due, signal);
      try {
        const confirmed = confirm?.() ?? null;
        if (confirmed !== null) await confirmed;
        return await this.#try(cost, attempt);
      } catch (error) {
        due = { ...cost, bytes: 0 };
        failingSince = this.#failingSince(error, failingSince, cost);
        const ms = retryPauseMs(error, count, (this.#parts.random ?? Math.random)());
        if (ms > 0) await this.#limiter.whileRateLimited(() => this.#parts.clock.sleep(ms, signal));
      }
    }
  }

  /** Clean-up that no later attempt would do: when `stop` aborts while it waits, it is sent once more at once. */
  async #cleanUp<Result>(
    cost: RequestCost,
    attempt: () => Promise<Result>,
    stop: AbortSignal,
  ): Promise<Result> {
    try {
      return await this.#repeat({ ...cost, cleansUp: true }, attempt, stop, this.#parts.confirmCopy);
    } catch (error) {
      if (!hasCode(error, "stopped")) throw error;
      return this.#try(cost, attempt);
    }
  }

  /** One attempt, whose outcome the bucket's governor and the stall detector are told. */
  async #try<Result>(
    { bucket, writes, isQuick }: RequestCost,
    attempt: () => Promise<Result>,
  ): Promise<Result> {
    const { clock, stalls, inFlight, governorOf, onRequest } = this.#parts;
    const governor = bucket === null ? null : governorOf(bucket);
    const sentAt = clock.now();
    inFlight?.begin();
    if (isQuick) stalls.sent(sentAt);
    onRequest?.();
    try {
      const result = await attempt();
      const now = clock.now();
      governor?.succeeded(writes, sentAt, now);
      stalls.answered(now);
      return result;
    } catch (error) {
      const now = clock.now();
      if (hasCode(error, "store_throttled")) governor?.throttled(sentAt, now);
      stalls.failed(error, now, sentAt);
      throw error;
    } finally {
      inFlight?.end();
      if (isQuick) stalls.ended();
    }
  }

  /** Since when temporary failures other than throttling last; throws `error` when it is not to be repeated (any more). */
  #failingSince(error: unknown, since: number | null, { unavailableMs }: RequestCost): number | null {
    if (hasCode(error, "store_throttled")) return null;
    if (!hasCode(error, "store_unavailable")) throw error;
    const now = this.#parts.clock.now();
    if (now - (since ?? now) >= unavailableMs) throw error;
    return since ?? now;
  }
}
