/** When the requests of one invocation may be sent: their rate, the time for repetitions, and the end of the function's time. */

import { backoffMs } from "../domain/rates/backoff.ts";
import type { Clock } from "../ports/clock.ts";

/** How long a request is repeated, ms. */
export const REPEATED_FOR_MS = 20_000;
/** Kept of the function's time for the answer, ms; of a short time a quarter. */
const KEPT_MS = 3_000;
/** An attempt without an answer is given up after this time, and a larger object's later, at a slow store's speed. */
const ATTEMPT_MS = 10_000;
const SLOWEST_BYTES_PER_MS = 20_000;

const PAUSES = { firstMs: 200, mostMs: 5_000 } as const;

/**
 * Times of one invocation. Requests begin at least `leastMs` apart and the invocation ends no earlier than `leastMs` after the
 * last one: with N environments at most N ÷ `leastMs` requests begin in a millisecond, without any coordination.
 */
export class RequestTimes {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #leastMs: number;
  /** By the monotonic clock, as all times here. */
  readonly #endsAt: number;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** `remainingMs` is the time until the function is ended. */
  constructor(clock: Clock, random: () => number, leastMs: number, remainingMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#leastMs = leastMs;
    this.#endsAt = clock.monotonic() + remainingMs - Math.min(KEPT_MS, remainingMs / 4);
  }

  /** Until when the requests of a copy that begins now are repeated. */
  repeatUntil(): number {
    return Math.min(this.#endsAt, this.#clock.monotonic() + REPEATED_FOR_MS);
  }

  /** Milliseconds until the function is to answer. */
  get leftMs(): number {
    return this.#endsAt - this.#clock.monotonic();
  }

  /** Waits until the next request may begin; false: not before `until`, or too late for it to end in time. */
  async turn(until: number): Promise<boolean> {
    const beginsAt = Math.max(this.#nextAt, this.#clock.monotonic());
    if (beginsAt >= until || beginsAt + this.#leastMs >= this.#endsAt) return false;
    await this.#sleepUntil(beginsAt);
    this.#nextAt = this.#clock.monotonic() + this.#leastMs;
    return true;
  }

  /** Waits with jitter after attempt `count` (1, 2, …) has failed; false, and at once, where that would last until `until`. */
  async pause(count: number, until: number): Promise<boolean> {
    const pauseMs = backoffMs(PAUSES, count, this.#random());
    if (this.#clock.monotonic() + pauseMs >= until) return false;
    await this.#clock.sleep(pauseMs);
    return true;
  }

  /** Resolves when the invocation may end. */
  async end(): Promise<void> {
    await this.#sleepUntil(this.#nextAt);
  }

  /** Runs `send`, whose signal is aborted when an object of `bytes` should have been copied, or at the end of the time. */
  async attempt<Result>(bytes: number, send: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const abort = new AbortController();
    const answered = new AbortController();
    const left = this.#endsAt - this.#clock.monotonic();
    const mostMs = Math.min(left, ATTEMPT_MS + bytes / SLOWEST_BYTES_PER_MS);
    void this.#clock.sleep(Math.max(1, mostMs), answered.signal).then(() => abort.abort());
    try {
      return await send(abort.signal);
    } finally {
      answered.abort();
    }
  }

  /** Timers may fire a little early. */
  async #sleepUntil(at: number): Promise<void> {
    for (let left = at - this.#clock.monotonic(); left > 0; left = at - this.#clock.monotonic())
      await this.#clock.sleep(left);
  }
}
