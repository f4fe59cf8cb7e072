/** Open, or closed with a reason and an end: no request or statement begins while the throttler of its stage is closed. */

import { DomainError } from "../domain/errors.ts";
import type { Waiting } from "../domain/job-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hold } from "./gate.ts";
import { isWithin } from "./in-flight.ts";

/** Longest interval between two checks while closed: settings may change, clocks may be set. */
const CHECK_MS = 250;

/** Why nothing may begin at `at` (epoch ms), or null. Without side effects and synchronous: called for every request. */
export type Observation = (at: number) => Hold | null;

/**
 * Open while none of its observations gives a hold; the first hold counts. Requests that have begun are never cut short.
 */
export class Throttler {
  readonly #clock: Clock;
  readonly #observations: readonly Observation[];
  #waiting: Waiting | null = null;
  #waiters = 0;
  #rateLimited = 0;
  #rateLimitedAt = Number.NEGATIVE_INFINITY;
  #check: Promise<void> | null = null;

  constructor(clock: Clock, observations: readonly Observation[]) {
    this.#clock = clock;
    this.#observations = observations;
  }

  /** The hold that requests wait for at this moment; null when none waits. */
  get waiting(): Waiting | null {
    return this.#waiters === 0 ? null : this.#waiting;
  }

  /** Null: open, which costs next to nothing. A promise: resolves when open; throws `stopped` when `signal` aborts. */
  whenOpen(signal: AbortSignal | undefined): Promise<void> | null {
    return this.#hold() === null ? null : this.#waitUntilOpen(signal);
  }

  isOpen(): boolean {
    return this.#hold() === null;
  }

  /** Whether it is open now and, as far as is known now, in `aheadMs` too: windows have a known end. */
  isOpenFor(aheadMs: number): boolean {
    const at = this.#clock.now() + aheadMs;
    return this.isOpen() && this.#observations.every((observe) => observe(at) === null);
  }

  /** Runs `wait`, in which a request that may begin waits for a rate limit of the job, a store or a database. */
  async whileRateLimited<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.#rateLimited += 1;
    try {
      return await wait();
    } finally {
      this.#rateLimited -= 1;
      this.#rateLimitedAt = this.#clock.now();
    }
  }

  /**
   * Whether a request waits only for a rate limit, or did in the last `ms`: that is work, however slow. False while the
   * throttler is closed: such a request will not be sent when the limit allows it.
   */
  isRateLimited(ms: number): boolean {
    if (this.#rateLimited === 0 && !isWithin(ms, this.#rateLimitedAt, this.#clock.now())) return false;
    return this.isOpen();
  }

  #hold(): Hold | null {
    const at = this.#clock.now();
    for (const observe of this.#observations) {
      const hold = observe(at);
      if (hold === null) continue;
      const since = this.#waiting?.reason === hold.reason ? this.#waiting.since : at;
      this.#waiting = { ...hold, since };
      return hold;
    }
    this.#waiting = null;
    return null;
  }

  async #waitUntilOpen(signal: AbortSignal | undefined): Promise<void> {
    this.#waiters += 1;
    try {
      while (this.#hold() !== null) {
        if (signal?.aborted) break;
        await this.#nextCheck(signal);
      }
    } finally {
      this.#waiters -= 1;
    }
    if (signal?.aborted) throw new DomainError("stopped", "the job was asked to stop");
  }

  /** One timer for all waiting requests. */
  #nextCheck(signal: AbortSignal | undefined): Promise<void> {
    this.#check ??= this.#clock.sleep(this.#checkMs(), signal).finally(() => {
      this.#check = null;
    });
    return this.#check;
  }

  #checkMs(): number {
    const until = this.#waiting?.until ?? null;
    if (until === null) return CHECK_MS;
    return Math.min(CHECK_MS, Math.max(1, until - this.#clock.now()));
  }
}
