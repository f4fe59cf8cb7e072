/** How much of one limit of a store this process could use: seen from what it used, and from who had to wait. */

/** A second is looked at in this many parts: who waits all the time waits in each of them. */
const PARTS = 4;
const PART_MS = 250;
/** Room for more than what was used: so much more, and this part of the limit or so many units, whichever is more. */
const ROOM = 1.25;
const LEAST_ROOM = 0.02;
const LEAST_UNITS = 2;

/** Kept for each limit. A burst waits for a moment and wants no more for it; work that is held back waits all the time. */
export class StoreDemand {
  readonly #perSecond: number;
  #used = 0;
  #since = Number.NEGATIVE_INFINITY;
  /** The last parts, numbered from the epoch, in which somebody had to wait; and how many without a gap. */
  #waitedIn = Number.NEGATIVE_INFINITY;
  #waitedFor = 0;
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
    const part = Math.floor(now / PART_MS);
    if (part === this.#waitedIn) return;
    this.#waitedFor = part === this.#waitedIn + 1 ? this.#waitedFor + 1 : 1;
    this.#waitedIn = part;
  }

  /** The part of the limit that could be used, 0 to 1. Looked at anew once a second. */
  wants(now: number): number {
    const ms = now - this.#since;
    if (ms >= 0 && ms < PARTS * PART_MS) return this.#wants;
    if (Number.isFinite(ms) && ms > 0) this.#wants = this.#isPressed(now) ? 1 : this.#usable(ms);
    this.#used = 0;
    this.#since = now;
    return this.#wants;
  }

  #isPressed(now: number): boolean {
    return this.#waitedFor >= PARTS && Math.floor(now / PART_MS) - this.#waitedIn <= 1;
  }

  #usable(ms: number): number {
    const used = (this.#used * 1000) / ms / this.#perSecond;
    return Math.min(1, used * ROOM + Math.max(LEAST_ROOM, LEAST_UNITS / this.#perSecond));
  }
}
