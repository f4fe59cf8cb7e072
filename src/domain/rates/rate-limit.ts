/** A configured limit of units a second that no second exceeds, as arithmetic: no timer and no clock. */

import { Gcra } from "./gcra.ts";

/** A limit of a job or a store, or the rate that a bucket sustains. */
export interface Limit {
  /** Milliseconds from `now` until `units` more may be sent; 0 is now. */
  waitMs(units: number, now: number): number;
  /** `units` are sent at `now`. */
  take(units: number, now: number): void;
}

/** A limit of which units can be reserved before they are sent. */
export interface RequestLimit extends Limit {
  /** Taken when units are reserved for later; keeps the limit on average. */
  readonly reservation: Limit;
  /** Taken when reserved units are sent; keeps the limit in each second. */
  readonly dispatch: Limit;
}

/** Burst allowance: longer than the stalls of an event loop. */
const BURST_MS = 100;
/** Part of the limit that any second may hold beyond it: less than 5 %, as requests may arrive closer together than they are sent. */
const EXCESS = 0.01;
/** Units that are more than this part of the limit at once are large: only the average is kept for them. */
const LARGE = 0.03;
/** After this time without demand the limit starts slowly. */
const IDLE_MS = 1000;
/**
 * A slow start lasts this long, at this part of the limit: the first requests arrive late and close together, as connections
 * are opened for them. At 80 % they may be up to 250 ms late and no second holds more than 5 % too much.
 */
const SLOW_START_MS = 1000;
const SLOW_START = 0.8;
const SLOT_MS = 10;

/**
 * A limit of `perSecond` units. No second holds more than 1 % above it (or the next whole unit, for limits below 100), and on
 * average the limit is kept exactly; where units are sent as soon as {@link RateLimit.waitMs} is 0, at least 95 % of it is
 * used though timers fire late. Units of more than 3 % of the limit (large objects) keep it on average, and any second holds
 * at most one of them too much. After a second without demand the first second has 80 % of the limit and no burst. A fixed
 * window would allow twice the rate at its edges.
 */
export class RateLimit implements RequestLimit {
  #perSecond: number | null;
  #gcra: Gcra | null;
  /** When the slow start is over, epoch ms; null: it is. */
  #slowStartUntil: number | null = null;
  /** Units sent in each of the last slots, and their sum; they cover any second, wherever in a slot it begins. */
  readonly #slots: Float64Array;
  #sum = 0;
  #slot = 0;

  /**
   * @param perSecond units a second, > 0; null is no limit
   * @param lateMs by how much the delays of two sends may differ: the limit is kept in a window of one second and this. 0
   * where units are sent one by one, as few of them are late.
   */
  constructor(perSecond: number | null, lateMs = 0) {
    this.#slots = new Float64Array(Math.ceil((1000 + lateMs) / SLOT_MS) + 1);
    this.#perSecond = perSecond;
    this.#gcra = perSecond === null ? null : new Gcra(perSecond, BURST_MS);
  }

  get perSecond(): number | null {
    return this.#perSecond;
  }

  /**
   * Keeps the limit on average for units that are sent later; {@link RateLimit.dispatch} keeps it in each second. It waits as
   * units that are sent at once do, or it would overtake these whenever a second is full.
   */
  readonly reservation: Limit = {
    waitMs: (units, now) => this.waitMs(units, now),
    take: (units, now) => this.#takeAverage(units, now),
  };

  /** Sends units of a {@link RateLimit.reservation} into a second that must not hold too many, and nearly always has room. */
  readonly dispatch: Limit = {
    waitMs: (units, now) => this.#windowMs(units, now),
    take: (units, now) => this.#takeWindow(units, now),
  };

  /** Changes the limit from `now` on, for units that wait already too. */
  setRate(perSecond: number | null, now: number): void {
    const [before, gcra] = [this.#perSecond, this.#gcra];
    this.#perSecond = perSecond;
    if (perSecond === null || before === null || gcra === null) {
      this.#forget();
      this.#slowStartUntil = null;
      this.#gcra = perSecond === null ? null : new Gcra(perSecond, BURST_MS);
      return;
    }
    // Units sent under a higher limit must not use up a lower one for a second.
    const part = Math.min(1, perSecond / before);
    this.#sum = 0;
    for (const [at, units] of this.#slots.entries()) {
      this.#slots[at] = Math.round(units * part);
      this.#sum += this.#slots[at];
    }
    gcra.setRate(this.#slowStartUntil === null ? perSecond : perSecond * SLOW_START, now);
  }

  waitMs(units: number, now: number): number {
    const waitMs = this.#averageMs(now);
    if (waitMs > 0 || units > Math.max(1, (this.#perSecond ?? 0) * LARGE)) return waitMs;
    return this.#windowMs(units, now);
  }

  take(units: number, now: number): void {
    this.#takeAverage(units, now);
    this.#takeWindow(units, now);
  }

  /** Units that the last second has room for, whatever is reserved. */
  capacityAt(now: number): number {
    const perSecond = this.#perSecond;
    if (perSecond === null) return Number.POSITIVE_INFINITY;
    this.#advance(now);
    return Math.max(Math.ceil(perSecond), Math.floor(perSecond * (1 + EXCESS))) - this.#sum;
  }

  /** Books `units` for the first moment at which the rate allows them, and gives the milliseconds until then. */
  reserve(units: number, now: number): number {
    const waitMs = this.#gcra?.waitMs(now) ?? 0;
    this.#gcra?.take(units, now);
    return waitMs;
  }

  /** After a time without units: the rate is lower for a second, and there is no burst. */
  #startSlowly(gcra: Gcra, now: number): void {
    if (gcra.idleMs(now) < IDLE_MS) return;
    this.#slowStartUntil = now + SLOW_START_MS;
    gcra.setRate((this.#perSecond ?? 0) * SLOW_START, now);
    gcra.pause(0, now);
  }

  #endSlowStart(gcra: Gcra, now: number): void {
    if (this.#slowStartUntil === null) return;
    // A clock that was set back must not prolong it.
    this.#slowStartUntil = Math.min(this.#slowStartUntil, now + SLOW_START_MS);
    if (now < this.#slowStartUntil) return;
    this.#slowStartUntil = null;
    gcra.setRate(this.#perSecond ?? 0, now);
  }

  #averageMs(now: number): number {
    const gcra = this.#gcra;
    if (gcra === null) return 0;
    this.#endSlowStart(gcra, now);
    return gcra.waitMs(now);
  }

  #takeAverage(units: number, now: number): void {
    const gcra = this.#gcra;
    if (gcra === null) return;
    this.#endSlowStart(gcra, now);
    this.#startSlowly(gcra, now);
    gcra.take(units, now);
  }

  /** Milliseconds until the last second has room for `units`. */
  #windowMs(units: number, now: number): number {
    const perSecond = this.#perSecond;
    if (perSecond === null || units <= this.capacityAt(now) || this.#sum === 0) return 0;
    return this.#untilOldestLeaves(now);
  }

  #takeWindow(units: number, now: number): void {
    if (this.#perSecond === null) return;
    this.#advance(now);
    const at = this.#slot % this.#slots.length;
    this.#slots[at] = (this.#slots[at] ?? 0) + units;
    this.#sum += units;
  }

  /** Drops units that were sent more than a window ago. */
  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot === this.#slot) return;
    if (slot - this.#slot >= this.#slots.length || slot < this.#slot) {
      this.#forget();
    } else {
      for (let passed = this.#slot + 1; passed <= slot; passed += 1) {
        this.#sum -= this.#slots[passed % this.#slots.length] ?? 0;
        this.#slots[passed % this.#slots.length] = 0;
      }
    }
    this.#slot = slot;
  }

  #forget(): void {
    this.#slots.fill(0);
    this.#sum = 0;
  }

  #untilOldestLeaves(now: number): number {
    for (let slot = this.#slot - this.#slots.length + 1; slot <= this.#slot; slot += 1) {
      if (this.#slots[(slot + this.#slots.length) % this.#slots.length] !== 0)
        return (slot + this.#slots.length) * SLOT_MS - now;
    }
    return 0;
  }
}
