/** A rate as arithmetic: when may the next so-many units go? No timer and no clock, so tests move time by hand. */

/**
 * A limit of `perSecond` units, by the generic cell rate algorithm: over any second no more than `perSecond` plus the
 * burst goes. Callers reserve in order; a reservation larger than the burst delays those after it, not itself.
 * Chosen over a fixed window because fixed windows let twice the rate pass at their edges.
 */
export class Pace {
  #perSecond: number | null;
  readonly #burstShare: number;
  /** When the units reserved so far would have gone at exactly the rate, epoch ms. */
  #paidUntil = 0;

  /**
   * @param perSecond units a second, > 0; null is no limit
   * @param burstShare part of one second's units that may go at once, 0–1; at least one unit always may
   */
  constructor(perSecond: number | null, burstShare = 0.04) {
    this.#perSecond = perSecond;
    this.#burstShare = burstShare;
  }

  get perSecond(): number | null {
    return this.#perSecond;
  }

  /** Changes the rate from now on; what was reserved stays reserved. */
  setRate(perSecond: number | null): void {
    this.#perSecond = perSecond;
  }

  /** Reserves `units` and gives the milliseconds to wait from `now` before they may go. */
  reserve(units: number, now: number): number {
    const rate = this.#perSecond;
    if (rate === null) return 0;
    const burstMs = Math.max(this.#burstShare * 1000, 1000 / rate);
    const from = Math.max(this.#paidUntil, now - burstMs);
    this.#paidUntil = from + (units * 1000) / rate;
    return Math.max(0, from - now);
  }
}
