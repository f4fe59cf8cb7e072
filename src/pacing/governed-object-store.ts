/** An object store that keeps to the job's limits and the bucket's rate, and repeats what is worth repeating. */

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
  WritePass,
  WriteProtection,
} from "../ports/object-store.ts";
import { begun } from "./begun.ts";
import { chunksUntilStopped } from "./chunks-until-stopped.ts";
import type { GovernedParts } from "./governed-parts.ts";
import { pauseMsAfter } from "./pause-before.ts";
import type { RateLimitedStore } from "./rate-limited-store.ts";
import { costWithinCopy, READ_COST, type RequestCost } from "./rates/request-cost.ts";
import { RequestLimiter } from "./rates/request-limiter.ts";
import { isQuick } from "./stall-detector.ts";

/** What a bucket is asked for its facts: whether it is there, and for its versioning and encryption. */
const FACTS_REQUESTS = 3;

type At = { readonly bucket: string; readonly key: string };

/**
 * Wraps a store for one job. Throttling is waited out for as long as it lasts: it never fails a job.
 * Other passing faults are repeated for 30 s, then thrown as `store_unavailable`.
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
    return this.#copying(target.bucket, cost, signal, (pass) =>
      this.#parts.store.copy(request, signal, pass),
    );
  }

  finishCopy(request: CopyRequest, targetEtag: string, signal?: AbortSignal): Promise<CopyResult> {
    return this.#copying(request.target.bucket, READ_COST, signal, (pass) =>
      this.#parts.store.finishCopy(request, targetEtag, signal, pass),
    );
  }

  /** Waits until `writes` more may go to `bucket`; whoever deletes waits here first and then gathers his evidence. */
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
   * One attempt, without waiting and without repeating: evidence for a deletion grows old while one waits. Throws
   * `store_throttled` or `store_unavailable` when it did not come through; look again before the next attempt.
   */
  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    terms: DeletionTerms = {},
  ): Promise<readonly DeleteResult[]> {
    const count: WritePass = (writes, attempt) => {
      this.#limiter.charge(bucket, writes);
      return this.#try({ ...READ_COST, bucket, writes }, attempt);
    };
    const attempt = () => this.#parts.store.deleteObjects(bucket, objects, signal, { ...terms, pass: count });
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

  /** Pays `cost`; what is written beyond that goes through the pass and pays for itself. */
  #copying(
    bucket: string,
    cost: RequestCost,
    signal: AbortSignal | undefined,
    send: (pass: WritePass) => Promise<CopyResult>,
  ): Promise<CopyResult> {
    const { inFlight, stalls, clock } = this.#parts;
    let passing = 0;
    // While something waits for its turn inside the copy, the copy itself asks nothing of the store.
    const rests = () => {
      inFlight?.end();
      if (cost.isQuick) stalls.ended();
    };
    const goesOn = () => {
      inFlight?.begin();
      if (cost.isQuick) stalls.asked(clock.now());
    };
    // A copy in parts is under way only while one of its requests is: each counts itself, and may wait at the throttler.
    const pass: WritePass = async (writes, attempt, stop, terms = {}) => {
      if (terms.isImmediate === true) return this.#limiter.sendImmediately(bucket, writes, attempt);
      const due = costWithinCopy(bucket, writes, terms);
      if (passing === 0) rests();
      passing += 1;
      try {
        if (stop === undefined && signal !== undefined) return await this.#cleanUp(due, attempt, signal);
        return await this.#repeat(due, attempt, stop, this.#parts.confirmCopy);
      } finally {
        passing -= 1;
        if (passing === 0) goesOn();
      }
    };
    return this.#repeat(cost, () => send(pass), signal, this.#parts.confirmCopy);
  }

  /** Pays for each attempt, the bytes once, and has it confirmed; repeats the attempt while that is worth it. */
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
        const asked = confirm?.() ?? null;
        if (asked !== null) await asked;
        return await this.#try(cost, attempt);
      } catch (error) {
        due = { ...cost, bytes: 0 };
        failingSince = this.#worthRepeating(error, failingSince, cost);
        const ms = pauseMsAfter(error, count, (this.#parts.random ?? Math.random)());
        if (ms > 0) await this.#limiter.whileRateLimited(() => this.#parts.clock.sleep(ms, signal));
      }
    }
  }

  /** Clean-up that no later attempt would do is not stopped: when `stop` aborts it is tried once more, at once, and not again. */
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

  /** One attempt, whose outcome the bucket's governor learns. */
  #try<Result>({ bucket, writes, isQuick }: RequestCost, attempt: () => Promise<Result>): Promise<Result> {
    const { clock, stalls, inFlight, governorOf, onRequest } = this.#parts;
    const governor = bucket === null ? null : governorOf(bucket);
    const sentAt = clock.now();
    inFlight?.begin();
    if (isQuick) stalls.asked(sentAt);
    onRequest?.();
    return begun(attempt).then(
      (result) => {
        const now = clock.now();
        inFlight?.end();
        if (isQuick) stalls.ended();
        governor?.succeeded(writes, sentAt, now);
        stalls.answered(now);
        return result;
      },
      (error: unknown) => {
        const now = clock.now();
        inFlight?.end();
        if (hasCode(error, "store_throttled")) governor?.throttled(sentAt, now);
        stalls.failed(error, now, sentAt);
        if (isQuick) stalls.ended();
        throw error;
      },
    );
  }

  /** Since when other troubles than throttling last; throws `error` on when repeating is not worth it (any more). */
  #worthRepeating(
    error: unknown,
    failingSince: number | null,
    { unavailableMs }: RequestCost,
  ): number | null {
    if (hasCode(error, "store_throttled")) return null;
    if (!hasCode(error, "store_unavailable")) throw error;
    const now = this.#parts.clock.now();
    const since = failingSince ?? now;
    if (now - since >= unavailableMs) throw error;
    return since;
  }
}
