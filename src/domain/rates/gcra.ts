/** The generic cell rate algorithm (ITU-T I.371): the arithmetic under every limit. No timer and no clock. */

/**
 * Units are admitted at a rate. A request of any size is admitted as a whole as soon as the ones before it are worked off
 * and delays the next in proportion, so the rate holds in the long run. Unused time accumulates up to the burst allowance.
 */
export class Gcra {
  #perSecond: number;
  readonly #burstMs: number;
  /** Theoretical arrival time: when all units admitted so far are worked off at exactly the rate, epoch ms. */
  #arrivalAt = 0;
  #seenAt = 0;

  /**
   * @param perSecond units a second, > 0
   * @param burstMs unused time that is kept, so that timers that fire late cost no throughput
   */
  constructor(perSecond: number, burstMs: number) {
    this.#perSecond = perSecond;
    this.#burstMs = burstMs;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Changes the rate from `now` on; units that are not worked off yet are worked off at the new rate. */
  setRate(perSecond: number, now: number): void {
    const backlogMs = this.waitMs(now);
    if (backlogMs > 0) this.#arrivalAt = now + (backlogMs * this.#perSecond) / perSecond;
    this.#perSecond = perSecond;
  }

  /** Milliseconds from `now` until the next request is admitted; 0 is now. */
  waitMs(now: number): number {
    // A clock that was set back must not add that time to the wait.
    if (now < this.#seenAt) this.#arrivalAt -= this.#seenAt - now;
    this.#seenAt = now;
    return Math.max(0, this.#arrivalAt - now);
  }

  /** For how many milliseconds all admitted units have been worked off. */
  idleMs(now: number): number {
    return Math.max(0, now - this.#arrivalAt);
  }

  /** Admits `units` at `now`, or books them for later where {@link Gcra.waitMs} is not 0. */
  take(units: number, now: number): void {
    this.#arrivalAt = Math.max(this.#arrivalAt, now - this.#burstMs) + (units * 1000) / this.#perSecond;
  }

  /** Admits nothing for `ms` from `now`, or from when the admitted units are worked off; the burst allowance is lost. */
  pause(ms: number, now: number): void {
    this.#arrivalAt = Math.max(this.#arrivalAt, now) + ms;
  }
}
