/** The write rate a bucket stands: found by raising it little by little and lowering it when the store objects. */

import { AdaptiveRate } from "../../domain/rates/adaptive-rate.ts";
import { Gcra } from "../../domain/rates/gcra.ts";
import type { Limit } from "../../domain/rates/rate-limit.ts";

/** Unused time that may be made up for; short, as a store that is near its limit takes no bursts. */
const CREDIT_MS = 50;
const TICK_MS = 10;
/** S3's own limit to the keys of one DeleteObjects request. */
const MOST_KEYS = 1000;
/** Seconds' worth of a throttled bucket's rate that one bulk deletion may cost: it leaves a debt that rejects others. */
const BULK_S = 0.03;

/** Adaptive rate for the writes of one bucket, shared by all who write to it in this process. */
export class BucketGovernor implements Limit {
  readonly #law = new AdaptiveRate();
  readonly #gcra = new Gcra(this.#law.perSecond, CREDIT_MS);
  #tickedAt = 0;
  /** The law compares moments: its time is the clock's, ahead by as much as that was ever set back. */
  #aheadMs = 0;
  #seenAt = 0;
  /** Whether anybody had to wait since the last tick, and in the tick before. */
  #wanted = false;
  #wasWanted = false;

  /** Units a second now, null while nothing was ever rejected. */
  get perSecond(): number | null {
    return this.#law.hasObjected ? this.#law.perSecond : null;
  }

  /** How many keys one bulk deletion should have: all that S3 takes, fewer once the bucket has objected. */
  get bulkKeys(): number {
    const rate = this.perSecond;
    return rate === null ? MOST_KEYS : Math.min(MOST_KEYS, Math.max(1, Math.round(rate * BULK_S)));
  }

  waitMs(_writes: number, now: number): number {
    this.#tick(now);
    const waitMs = this.#gcra.waitMs(now);
    if (waitMs > 0) this.#wanted = true;
    return waitMs;
  }

  /** A bulk deletion counts one write a key. */
  take(writes: number, now: number): void {
    this.#gcra.take(writes, now);
  }

  /** What was sent at `sentAt` was granted. */
  succeeded(writes: number, sentAt: number, now: number): void {
    const steady = this.#steady(now);
    this.#law.granted(writes, sentAt + this.#aheadMs, steady, this.#wanted || this.#wasWanted);
    this.#follow(now);
  }

  /** What was sent at `sentAt` was rejected for being too much (503, 429). */
  throttled(sentAt: number, now: number): void {
    const steady = this.#steady(now);
    const pauseMs = this.#law.rejected(sentAt + this.#aheadMs, steady);
    this.#follow(now);
    if (pauseMs > 0) this.#gcra.pause(pauseMs, now);
  }

  #tick(now: number): void {
    if (now - this.#tickedAt < TICK_MS && now >= this.#tickedAt) return;
    this.#tickedAt = now;
    this.#law.tick(this.#steady(now), this.#wanted);
    this.#wasWanted = this.#wanted;
    this.#wanted = false;
    this.#follow(now);
  }

  #steady(now: number): number {
    if (now < this.#seenAt) this.#aheadMs += this.#seenAt - now;
    this.#seenAt = now;
    return now + this.#aheadMs;
  }

  #follow(now: number): void {
    if (this.#law.perSecond !== this.#gcra.perSecond) this.#gcra.setRate(this.#law.perSecond, now);
  }
}
