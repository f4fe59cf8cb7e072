/** The write rate that a bucket sustains: raised gradually, and lowered when the store rejects writes (503, 429). */

import { AdaptiveRate } from "../../domain/rates/adaptive-rate.ts";
import { Gcra } from "../../domain/rates/gcra.ts";
import type { Limit } from "../../domain/rates/rate-limit.ts";

/** Burst allowance; short, as a store near its limit rejects bursts. */
const CREDIT_MS = 50;
const TICK_MS = 10;
/** S3's own limit to the keys of one DeleteObjects request. */
const MOST_KEYS = 1000;
/** Largest bulk deletion in a throttled bucket, in seconds of its rate: other writes are rejected while it is worked off. */
const BULK_S = 0.03;

/** The adaptive rate of writes to one bucket, shared by all jobs of this process. */
export class BucketGovernor implements Limit {
  readonly #rate = new AdaptiveRate();
  readonly #gcra = new Gcra(this.#rate.perSecond, CREDIT_MS);
  #tickedAt = 0;
  /** The adaptive rate needs a time that never goes back: the clock's, plus all by which that was ever set back. */
  #aheadMs = 0;
  #seenAt = 0;
  /** Whether a write had to wait since the last tick, and in the tick before. */
  #isInDemand = false;
  #wasInDemand = false;

  /** Writes a second now; null as long as none was ever rejected. */
  get perSecond(): number | null {
    return this.#rate.hasBeenRejected ? this.#rate.perSecond : null;
  }

  /** Keys that one bulk deletion should have: as many as S3 takes, fewer once the bucket has rejected writes. */
  get bulkKeys(): number {
    const rate = this.perSecond;
    return rate === null ? MOST_KEYS : Math.min(MOST_KEYS, Math.max(1, Math.round(rate * BULK_S)));
  }

  waitMs(_writes: number, now: number): number {
    this.#tick(now);
    const waitMs = this.#gcra.waitMs(now);
    if (waitMs > 0) this.#isInDemand = true;
    return waitMs;
  }

  /** A bulk deletion counts one write for each key. */
  take(writes: number, now: number): void {
    this.#gcra.take(writes, now);
  }

  /** `writes` that were sent at `sentAt` were accepted. */
  succeeded(writes: number, sentAt: number, now: number): void {
    const steady = this.#steadyMs(now);
    this.#rate.accepted(writes, sentAt + this.#aheadMs, steady, this.#isInDemand || this.#wasInDemand);
    this.#applyRate(now);
  }

  /** A request that was sent at `sentAt` was rejected as too many (503, 429). */
  throttled(sentAt: number, now: number): void {
    const steady = this.#steadyMs(now);
    const pauseMs = this.#rate.rejected(sentAt + this.#aheadMs, steady);
    this.#applyRate(now);
    if (pauseMs > 0) this.#gcra.pause(pauseMs, now);
  }

  #tick(now: number): void {
    if (now - this.#tickedAt < TICK_MS && now >= this.#tickedAt) return;
    this.#tickedAt = now;
    this.#rate.tick(this.#steadyMs(now), this.#isInDemand);
    this.#wasInDemand = this.#isInDemand;
    this.#isInDemand = false;
    this.#applyRate(now);
  }

  #steadyMs(now: number): number {
    if (now < this.#seenAt) this.#aheadMs += this.#seenAt - now;
    this.#seenAt = now;
    return now + this.#aheadMs;
  }

  #applyRate(now: number): void {
    if (this.#rate.perSecond !== this.#gcra.perSecond) this.#gcra.setRate(this.#rate.perSecond, now);
  }
}
