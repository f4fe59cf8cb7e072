/** The limits of one job's requests to a store, taken all at once and only while the throttler is open. */

import { DomainError } from "../../domain/errors.ts";
import type { Limit, RequestLimit } from "../../domain/rates/rate-limit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Throttler } from "../throttler.ts";
import type { BucketGovernor } from "./bucket-governor.ts";
import { type Charge, type FairQueue, Flow } from "./fair-queue.ts";
import type { RequestCost } from "./request-cost.ts";

export interface RequestLimiterParts {
  readonly clock: Clock;
  /** Shared with all jobs that share any of the limits. */
  readonly fairQueue: FairQueue;
  /** Limits of requests a second, of the job, the store or whatever else; every request counts one. */
  readonly requestLimits: readonly RequestLimit[];
  readonly byteLimits: readonly Limit[];
  /** One governor for each bucket, shared by all jobs on the same store. */
  governorOf(bucket: string): BucketGovernor;
  /** No request begins while it is closed. */
  readonly throttler?: Throttler;
}

/** Admits the requests of one job to one store. */
export class RequestLimiter {
  readonly #parts: RequestLimiterParts;
  /** A flow for the writes to each bucket, so that a slow bucket delays no other one, and one for reads. */
  readonly #flows = new Map<string | null, Flow>();
  /** For deletions whose evidence has been gathered: a flow of its own, as evidence ages while they wait. */
  readonly #reserved = new Flow();

  constructor(parts: RequestLimiterParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#parts.throttler?.isOpen() ?? true;
  }

  /** Whether requests may begin now and, as far as that can be told, still in `aheadMs`. */
  isOpenFor(aheadMs: number): boolean {
    return this.#parts.throttler?.isOpenFor(aheadMs) ?? true;
  }

  /** Acquires `cost` if that needs no waiting, and gives whether it did. Allocates nothing: most copies go this way. */
  tryAcquire(cost: RequestCost, signal: AbortSignal | undefined): boolean {
    const { fairQueue, clock, requestLimits, governorOf } = this.#parts;
    if (signal?.aborted || !fairQueue.isFree) return false;
    if (signal !== undefined && cost.cleansUp !== true && !this.isOpen) return false;
    const { bucket, writes, bytes } = cost;
    const now = clock.now();
    const governor = bucket === null ? null : governorOf(bucket);
    const byteLimits = bytes > 0 ? this.#parts.byteLimits : NONE;
    if (governor !== null && governor.waitMs(writes, now) > 0) return false;
    if (!allow(requestLimits, 1, now) || !allow(byteLimits, bytes, now)) return false;
    governor?.take(writes, now);
    for (const limit of requestLimits) limit.take(1, now);
    for (const limit of byteLimits) limit.take(bytes, now);
    return true;
  }

  /** Waits until `cost` is acquired; throws `stopped`. */
  acquire(cost: RequestCost, signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(cost.bucket, () => this.#charges(cost), signal, cost.cleansUp);
  }

  /** Acquires a deletion of `writes` keys in `bucket` that is sent after {@link RequestLimiter.useReservation}; throws `stopped`. */
  reserveWrites(bucket: string, writes: number, signal: AbortSignal | undefined): Promise<void> {
    const charges = () => [
      { limit: this.#parts.governorOf(bucket), units: writes },
      ...this.#parts.requestLimits.map(({ reservation }) => ({ limit: reservation, units: 1 })),
    ];
    return this.#wait(bucket, charges, signal);
  }

  /**
   * Right before a reserved deletion is sent: resolves at once (false), or when the last second has room for it (true), and
   * then the evidence must be checked again. Takes nothing when `signal` aborts meanwhile: the caller checks it.
   */
  async useReservation(signal: AbortSignal | undefined): Promise<boolean> {
    const { fairQueue, clock, requestLimits } = this.#parts;
    const limits = requestLimits.map(({ dispatch }) => dispatch);
    const now = clock.now();
    if (allow(limits, 1, now)) {
      for (const limit of limits) limit.take(1, now);
      return false;
    }
    const charges = limits.map((limit) => ({ limit, units: 1 }));
    await this.whileRateLimited(() => fairQueue.acquire(this.#reserved, charges, signal));
    return true;
  }

  /** Takes the cost of a request that does not wait, as those inside a deletion; later requests wait the longer. */
  charge(bucket: string, writes: number): void {
    const now = this.#parts.clock.now();
    this.#parts.governorOf(bucket).take(writes, now);
    for (const limit of this.#parts.requestLimits) limit.take(1, now);
  }

  /**
   * Runs a request of a copy that is in flight at once; later requests wait the longer. Throws `stopped` when it writes and
   * the throttler has closed meanwhile.
   */
  async sendImmediately<Result>(
    bucket: string,
    writes: number,
    attempt: () => Promise<Result>,
  ): Promise<Result> {
    if (writes > 0 && !this.isOpen) throw new DomainError("stopped", "nothing is written any more");
    this.charge(bucket, writes);
    return attempt();
  }

  /** Runs `wait`, in which a request waits for a rate limit; see {@link Throttler.whileRateLimited}. */
  whileRateLimited(wait: () => Promise<void>): Promise<void> {
    return this.#parts.throttler?.whileRateLimited(wait) ?? wait();
  }

  /**
   * Waits for the throttler, then for all limits at once. The throttler comes first: requests that had acquired their cost
   * before it opens would all be sent at that moment. Clean-up does not wait for it.
   */
  async #wait(
    bucket: string | null,
    charges: () => readonly Charge[],
    signal: AbortSignal | undefined,
    cleansUp = false,
  ): Promise<void> {
    const throttler = signal === undefined || cleansUp ? undefined : this.#parts.throttler;
    for (;;) {
      const closed = throttler?.whenOpen(signal) ?? null;
      if (closed !== null) await closed;
      await this.whileRateLimited(() =>
        this.#parts.fairQueue.acquire(this.#flowOf(bucket), charges(), signal),
      );
      if (signal?.aborted) throw new DomainError("stopped", "the job was asked to stop");
      // It may have closed while the request waited for the limits.
      if (throttler === undefined || throttler.isOpen()) return;
    }
  }

  #charges({ bucket, writes, bytes }: RequestCost): Charge[] {
    const { requestLimits, byteLimits, governorOf } = this.#parts;
    const charges: Charge[] = bucket === null ? [] : [{ limit: governorOf(bucket), units: writes }];
    for (const limit of requestLimits) charges.push({ limit, units: 1 });
    if (bytes > 0) for (const limit of byteLimits) charges.push({ limit, units: bytes });
    return charges;
  }

  #flowOf(bucket: string | null): Flow {
    const known = this.#flows.get(bucket);
    if (known !== undefined) return known;
    const flow = new Flow();
    this.#flows.set(bucket, flow);
    return flow;
  }
}

const NONE: readonly Limit[] = [];

function allow(limits: readonly Limit[], units: number, now: number): boolean {
  for (const limit of limits) if (limit.waitMs(units, now) > 0) return false;
  return true;
}
