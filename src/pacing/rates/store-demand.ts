/** How much of one limit of a store this process could use: seen from what it used, and from who had to wait. */

/** Used and wanted are looked at so often. */
const LOOK_MS = 1000;
/** Who waits all the time looks again within a quarter of a second (see `Turnstile`), or later as timers fire late. */
const GAP_MS = 350;
/** Who has waited so long without a gap waits all the time. */
const PRESSED_MS = 750;
/** Room for more than what was used: so much more, and this part of the limit or so many units, whichever is more. */
const ROOM = 1.25;
const LEAST_ROOM = 0.02;
const LEAST_UNITS = 2;

/** Kept for each limit. A burst waits for a moment and wants no more for it; work that is held back waits all the time. */
export class StoreDemand {
  readonly #perSecond: number;
  #used = 0;
  #since = Number.NEGATIVE_INFINITY;
  /** When somebody had to wait last, and since when without a gap, epoch ms. */
  #waitedAt = Number.NEGATIVE_INFINITY;
  #waitsSince = Number.NEGATIVE_INFINITY;
  /** Until it is known better, all of it. */
  #wants = 1;

  /** @param perSecond the whole limit, units a second */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  took(units: number): void {
    this.#used += units;
  }

  /** Somebody had to wait for this limit at `now`. */
  waited(now: number): void {
    if (!this.#isLately(now)) this.#waitsSince = now;
    this.#waitedAt = now;
  }

  /** The part of the limit that could be used, 0 to 1. Looked at anew once a second. */
  wants(now: number): number {
    const ms = now - this.#since;
    if (ms >= 0 && ms < LOOK_MS) return this.#wants;
    if (Number.isFinite(ms) && ms > 0) this.#wants = this.#isPressed(now) ? 1 : this.#usable(ms);
    this.#used = 0;
    this.#since = now;
    return this.#wants;
  }

  #isPressed(now: number): boolean {
    return this.#isLately(now) && this.#waitedAt - this.#waitsSince >= PRESSED_MS;
  }

  /** Whether the last wait was so short a time ago that it has not ended; a clock that was set back ends it. */
  #isLately(now: number): boolean {
    return now >= this.#waitedAt && now - this.#waitedAt <= GAP_MS;
  }

  #usable(ms: number): number {
    const used = (this.#used * 1000) / ms / this.#perSecond;
    return Math.min(1, used * ROOM + Math.max(LEAST_ROOM, LEAST_UNITS / this.#perSecond));
  }
}
