/** The write rate a bucket stands: found by raising it little by little and lowering it when the store objects. */

import { Pace } from "../domain/pace.ts";

/** Share of the rate that is kept after a rejection. */
const DECREASE = 0.85;
/** Rejections within this time count as one: they are answers to the same burst. */
const ONE_BURST_MS = 300;
/** Share of the rate that is added for each second without a rejection. */
const INCREASE_PER_SECOND = 0.04;
const LEAST_PER_SECOND = 1;

/**
 * Adaptive rate for the writes of one bucket (additive increase, multiplicative decrease). Unlimited until the store
 * first rejects something; then it starts from the rate that was really let through.
 * S3 allows at least 3,500 writes a second and partitioned prefix and answers 503 above it.
 */
export class BucketGovernor {
  readonly #pace = new Pace(null, 0.02);
  #lastDecreaseAt = 0;
  #lastIncreaseAt = 0;
  #windowStart = 0;
  #windowWrites = 0;
  #lastWindowRate = 0;

  /** Units a second now, null while nothing was ever rejected. */
  get perSecond(): number | null {
    return this.#pace.perSecond;
  }

  /** Reserves `writes` (a bulk delete counts one a key) and gives the milliseconds to wait. */
  reserve(writes: number, now: number): number {
    this.#increase(now);
    return this.#pace.reserve(writes, now);
  }

  succeeded(writes: number, now: number): void {
    if (now - this.#windowStart >= 1000) {
      this.#lastWindowRate = (this.#windowWrites * 1000) / Math.max(1000, now - this.#windowStart);
      this.#windowStart = now;
      this.#windowWrites = 0;
    }
    this.#windowWrites += writes;
  }

  throttled(now: number): void {
    if (now - this.#lastDecreaseAt < ONE_BURST_MS) return;
    this.#lastDecreaseAt = now;
    this.#lastIncreaseAt = now;
    const current =
      this.#pace.perSecond ?? Math.max(this.#lastWindowRate, this.#windowWrites, LEAST_PER_SECOND);
    this.#pace.setRate(Math.max(LEAST_PER_SECOND, current * DECREASE));
  }

  #increase(now: number): void {
    const rate = this.#pace.perSecond;
    if (rate === null) return;
    const seconds = (now - this.#lastIncreaseAt) / 1000;
    if (seconds < 0.1) return;
    this.#lastIncreaseAt = now;
    this.#pace.setRate(rate + Math.max(1, rate * INCREASE_PER_SECOND) * Math.min(seconds, 5));
  }
}
