/** Units that may go one after the other at a rate: the arithmetic under every limit. No timer and no clock. */

/**
 * The generic cell rate algorithm: whoever may go goes whole and delays those after him, so that units of any size keep
 * the rate in the long run. What was not used is kept only for the credit, `creditMs`.
 */
export class Gcra {
  #perSecond: number;
  readonly #creditMs: number;
  /** When what went so far would have gone at exactly the rate, epoch ms. */
  #paidUntil = 0;
  #seenAt = 0;

  /**
   * @param perSecond units a second, > 0
   * @param creditMs how long unused time may be made up for, so that timers that fire late cost nothing
   */
  constructor(perSecond: number, creditMs: number) {
    this.#perSecond = perSecond;
    this.#creditMs = creditMs;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Changes the rate from `now` on; what is owed is owed in units and paid at the new rate. */
  setRate(perSecond: number, now: number): void {
    const owedMs = this.waitMs(now);
    if (owedMs > 0) this.#paidUntil = now + (owedMs * this.#perSecond) / perSecond;
    this.#perSecond = perSecond;
  }

  /** Milliseconds from `now` until the next may go; 0 is now. */
  waitMs(now: number): number {
    // A clock that was set back must not make anybody wait for as long as it was wrong.
    if (now < this.#seenAt) this.#paidUntil -= this.#seenAt - now;
    this.#seenAt = now;
    return Math.max(0, this.#paidUntil - now);
  }

  /** For how many milliseconds everything that went has been paid for. */
  idleMs(now: number): number {
    return Math.max(0, now - this.#paidUntil);
  }

  /** `units` go at `now`, or are booked for later where {@link Gcra.waitMs} is not over. */
  take(units: number, now: number): void {
    this.#paidUntil = Math.max(this.#paidUntil, now - this.#creditMs) + (units * 1000) / this.#perSecond;
  }

  /** Lets nothing go for `ms` from `now`, or from when what is owed is paid; credit is lost. */
  pause(ms: number, now: number): void {
    this.#paidUntil = Math.max(this.#paidUntil, now) + ms;
  }
}
