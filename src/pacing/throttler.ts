/** A throttler before every request or statement: open, or closed with a reason and an end. Nothing new passes while it is closed. */

import { DomainError } from "../domain/errors.ts";
import type { Waiting } from "../domain/job-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hold } from "./gate.ts";
import { isWithin } from "./in-flight.ts";

/** How long those who wait sleep at most before they look again: settings may change, clocks may be set. */
const LOOK_AGAIN_MS = 250;

/** Why nothing may begin at `at` (epoch ms), or null. It only observes, and at once: it is asked for every request. */
export type Observation = (at: number) => Hold | null;

/**
 * Lets requests begin while none of its observations objects; the first objection counts. What has begun is never cut
 * short. Observations may be exchanged while it works.
 */
export class Throttler {
  readonly #clock: Clock;
  readonly #observations: readonly Observation[];
  #waiting: Waiting | null = null;
  #waiters = 0;
  #rateLimited = 0;
  #rateLimitedAt = Number.NEGATIVE_INFINITY;
  #look: Promise<void> | null = null;

  constructor(clock: Clock, observations: readonly Observation[]) {
    this.#clock = clock;
    this.#observations = observations;
  }

  /** What those who wait here wait for; null when nobody does. */
  get waiting(): Waiting | null {
    return this.#waiters === 0 ? null : this.#waiting;
  }

  /** Null: go on at once, which costs next to nothing. A promise: go on when it resolves; it throws `stopped`. */
  pass(signal: AbortSignal | undefined): Promise<void> | null {
    return this.#objection() === null ? null : this.#waitUntilOpen(signal);
  }

  isOpen(): boolean {
    return this.#objection() === null;
  }

  /** Whether it is open now, and by what is known now in `aheadMs` too: windows tell their end. */
  isOpenFor(aheadMs: number): boolean {
    const at = this.#clock.now() + aheadMs;
    return this.isOpen() && this.#observations.every((observe) => observe(at) === null);
  }

  /** Runs `wait`, in which something that may pass here waits for a limit of the job, a store or a database. */
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
   * Whether something waits only for its turn, or did in the last `ms`: that is work, however slow. While the throttler is
   * shut it will not go when its turn comes, and counts for nothing.
   */
  isRateLimited(ms: number): boolean {
    if (this.#rateLimited === 0 && !isWithin(ms, this.#rateLimitedAt, this.#clock.now())) return false;
    return this.isOpen();
  }

  #objection(): Hold | null {
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
      while (this.#objection() !== null) {
        if (signal?.aborted) break;
        await this.#nextLook(signal);
      }
    } finally {
      this.#waiters -= 1;
    }
    if (signal?.aborted) throw new DomainError("stopped", "the job was asked to stop");
  }

  /** One timer for all who wait. */
  #nextLook(signal: AbortSignal | undefined): Promise<void> {
    this.#look ??= this.#clock.sleep(this.#lookMs(), signal).finally(() => {
      this.#look = null;
    });
    return this.#look;
  }

  #lookMs(): number {
    const until = this.#waiting?.until ?? null;
    if (until === null) return LOOK_AGAIN_MS;
    return Math.min(LOOK_AGAIN_MS, Math.max(1, until - this.#clock.now()));
  }
}
