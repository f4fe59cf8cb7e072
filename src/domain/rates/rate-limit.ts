/** A limit that users set: so many units a second and never more, as arithmetic. No timer and no clock, so tests move time by hand. */

import { Gcra } from "./gcra.ts";

/** What may make somebody wait: a limit of a job or a store, or the rate a bucket stands. */
export interface Limit {
  /** Milliseconds from `now` until `units` more may go; 0 is now. */
  waitMs(units: number, now: number): number;
  /** `units` go at `now`. */
  take(units: number, now: number): void;
}

/** A limit that one may pay before one goes. */
export interface RequestLimit extends Limit {
  /** For what goes later than it pays: on average the limit is kept here. */
  readonly reservation: Limit;
  /** What has paid goes: in each second the limit is kept here. */
  readonly dispatch: Limit;
}

/** Unused time that may be made up for: longer than the stalls of an event loop. */
const CREDIT_MS = 100;
/** Share of the limit that any second may hold beyond it: less than 5 %, for what comes closer together on its way. */
const EXCESS = 0.01;
/** What is more than this share of the limit at once is large. */
const LARGE = 0.03;
/** Who asked for nothing for so long begins anew, and slowly. */
const IDLE_MS = 1000;
/**
 * So long, and at this share of the limit: the first requests arrive late and close together, as connections are opened
 * for them. With a fifth of a second's worth less, they may be up to 250 ms late and no second holds more than 5 % too much.
 */
const SLOW_START_MS = 1000;
const SLOW_START = 0.8;
const SLOT_MS = 10;

/**
 * A limit of `perSecond` units. Over any second no more than 1 % above it goes (or the next whole unit, for limits below
 * 100), and on average the limit itself; if units go when {@link RateLimit.waitMs} lets them, at least 95 % of it is used though
 * timers fire late. Units of more than 3 % of the limit (large objects) keep it on average, and any second holds at most
 * one of them too much. After a second without demand the first second has 80 % of the limit, without credit. Chosen over a
 * fixed window because that lets twice the rate pass at its edges.
 */
export class RateLimit implements RequestLimit {
  #perSecond: number | null;
  #gcra: Gcra | null;
  /** When the slow beginning is over, epoch ms; null: it is. */
  #slowStartUntil: number | null = null;
  /** Units that went in each of the last slots, and their sum; they cover any second, wherever in a slot it begins. */
  readonly #slots: Float64Array;
  #sum = 0;
  #slot = 0;

  /**
   * @param perSecond units a second, > 0; null is no limit
   * @param lateMs by how much more one may be late than the next: so much longer than a second is what the limit is kept
   * in. Where units go one by one none is needed, as few of them are late.
   */
  constructor(perSecond: number | null, lateMs = 0) {
    this.#slots = new Float64Array(Math.ceil((1000 + lateMs) / SLOT_MS) + 1);
    this.#perSecond = perSecond;
    this.#gcra = perSecond === null ? null : new Gcra(perSecond, CREDIT_MS);
  }

  get perSecond(): number | null {
    return this.#perSecond;
  }

  /**
   * The limit for what goes later than it pays: on average it is kept here, in each second by {@link RateLimit.dispatch}. It waits
   * like what goes at once, or it would overtake that whenever a second is full.
   */
  readonly reservation: Limit = {
    waitMs: (units, now) => this.waitMs(units, now),
    take: (units, now) => this.#pay(units, now),
  };

  /** What has paid {@link RateLimit.reservation} goes: into a second that must not hold too many, and nearly always has room. */
  readonly dispatch: Limit = {
    waitMs: (units, now) => this.#crowdedMs(units, now),
    take: (units, now) => this.#count(units, now),
  };

  /** Changes the limit from `now` on, for what waits already too. */
  setRate(perSecond: number | null, now: number): void {
    const [before, gcra] = [this.#perSecond, this.#gcra];
    this.#perSecond = perSecond;
    if (perSecond === null || before === null || gcra === null) {
      this.#forget();
      this.#slowStartUntil = null;
      this.#gcra = perSecond === null ? null : new Gcra(perSecond, CREDIT_MS);
      return;
    }
    // What went under a higher limit must not close a lower one for a second.
    const share = Math.min(1, perSecond / before);
    this.#sum = 0;
    for (const [at, units] of this.#slots.entries()) {
      this.#slots[at] = Math.round(units * share);
      this.#sum += this.#slots[at];
    }
    gcra.setRate(this.#slowStartUntil === null ? perSecond : perSecond * SLOW_START, now);
  }

  waitMs(units: number, now: number): number {
    const waitMs = this.#rateMs(now);
    if (waitMs > 0 || units > Math.max(1, (this.#perSecond ?? 0) * LARGE)) return waitMs;
    return this.#crowdedMs(units, now);
  }

  take(units: number, now: number): void {
    this.#pay(units, now);
    this.#count(units, now);
  }

  /** Units that the last second has room for, whatever was paid. */
  capacityAt(now: number): number {
    const perSecond = this.#perSecond;
    if (perSecond === null) return Number.POSITIVE_INFINITY;
    this.#advance(now);
    return Math.max(Math.ceil(perSecond), Math.floor(perSecond * (1 + EXCESS))) - this.#sum;
  }

  /** Books `units` for the first moment the rate has for them, and gives the milliseconds until then. */
  reserve(units: number, now: number): number {
    const waitMs = this.#gcra?.waitMs(now) ?? 0;
    this.#gcra?.take(units, now);
    return waitMs;
  }

  /** The first unit after a time without any: what comes next comes slowly, and makes up for nothing. */
  #startSlowly(gcra: Gcra, now: number): void {
    if (gcra.idleMs(now) < IDLE_MS) return;
    this.#slowStartUntil = now + SLOW_START_MS;
    gcra.setRate((this.#perSecond ?? 0) * SLOW_START, now);
    gcra.pause(0, now);
  }

  #endSlowStart(gcra: Gcra, now: number): void {
    if (this.#slowStartUntil === null) return;
    // A clock that was set back must not make a second of it that does not end.
    this.#slowStartUntil = Math.min(this.#slowStartUntil, now + SLOW_START_MS);
    if (now < this.#slowStartUntil) return;
    this.#slowStartUntil = null;
    gcra.setRate(this.#perSecond ?? 0, now);
  }

  #rateMs(now: number): number {
    const gcra = this.#gcra;
    if (gcra === null) return 0;
    this.#endSlowStart(gcra, now);
    return gcra.waitMs(now);
  }

  #pay(units: number, now: number): void {
    const gcra = this.#gcra;
    if (gcra === null) return;
    this.#endSlowStart(gcra, now);
    this.#startSlowly(gcra, now);
    gcra.take(units, now);
  }

  /** Milliseconds until the last second has room for `units`. */
  #crowdedMs(units: number, now: number): number {
    const perSecond = this.#perSecond;
    if (perSecond === null || units <= this.capacityAt(now) || this.#sum === 0) return 0;
    return this.#untilOldestLeaves(now);
  }

  #count(units: number, now: number): void {
    if (this.#perSecond === null) return;
    this.#advance(now);
    const at = this.#slot % this.#slots.length;
    this.#slots[at] = (this.#slots[at] ?? 0) + units;
    this.#sum += units;
  }

  /** Forgets what is older than a second. */
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
