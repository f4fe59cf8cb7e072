/** A limit that users set: so many units a second and never more, as arithmetic. No timer and no clock, so tests move time by hand. */

import { CellRate } from "./cell-rate.ts";

/** What may make somebody wait: a limit of a job or a store, or the rate a bucket stands. */
export interface Limit {
  /** Milliseconds from `now` until `units` more may go; 0 is now. */
  waitMs(units: number, now: number): number;
  /** `units` go at `now`. */
  take(units: number, now: number): void;
}

/** Unused time that may be made up for: longer than the stalls of an event loop. */
const CREDIT_MS = 100;
/** Share of the limit that any second may hold beyond it: less than 5 %, for what comes closer together on its way. */
const EXCESS = 0.03;
const SLOT_MS = 10;
/** Slots that cover any second, wherever in a slot it begins. */
const SLOTS = 1000 / SLOT_MS + 1;

/**
 * A limit of `perSecond` units. Over any second no more than 3 % above it goes (or the next whole unit, for limits below
 * 34), and on average the limit itself; if units go when {@link Pace.waitMs} lets them, at least 95 % of it is used though
 * timers fire late. Units of more than 3 % of the limit (large objects) keep it on average, and any second holds at most
 * one of them too much. Chosen over a fixed window because that lets twice the rate pass at its edges.
 */
export class Pace implements Limit {
  #cells: CellRate | null;
  /** Units that went in each of the last slots, and their sum. */
  readonly #slots = new Float64Array(SLOTS);
  #sum = 0;
  #slot = 0;

  /** @param perSecond units a second, > 0; null is no limit */
  constructor(perSecond: number | null) {
    this.#cells = perSecond === null ? null : new CellRate(perSecond, CREDIT_MS);
  }

  get perSecond(): number | null {
    return this.#cells?.perSecond ?? null;
  }

  /** Changes the limit from `now` on, for what waits already too. */
  setRate(perSecond: number | null, now: number): void {
    const before = this.#cells;
    if (perSecond === null || before === null) {
      this.#forget();
      this.#cells = perSecond === null ? null : new CellRate(perSecond, CREDIT_MS);
      return;
    }
    // What went under a higher limit must not close a lower one for a second.
    const share = Math.min(1, perSecond / before.perSecond);
    this.#sum = 0;
    for (const [at, units] of this.#slots.entries()) {
      this.#slots[at] = Math.round(units * share);
      this.#sum += this.#slots[at];
    }
    before.setRate(perSecond, now);
  }

  waitMs(units: number, now: number): number {
    const cells = this.#cells;
    if (cells === null) return 0;
    const waitMs = cells.waitMs(now);
    if (waitMs > 0 || units > Math.max(1, cells.perSecond * EXCESS)) return waitMs;
    this.#advance(now);
    const most = Math.max(Math.ceil(cells.perSecond), Math.floor(cells.perSecond * (1 + EXCESS)));
    if (this.#sum + units <= most || this.#sum === 0) return 0;
    return this.#untilOldestLeaves(now);
  }

  take(units: number, now: number): void {
    const cells = this.#cells;
    if (cells === null) return;
    cells.take(units, now);
    this.#advance(now);
    const at = this.#slot % SLOTS;
    this.#slots[at] = (this.#slots[at] ?? 0) + units;
    this.#sum += units;
  }

  /** Books `units` for the first moment the rate has for them, and gives the milliseconds until then. */
  reserve(units: number, now: number): number {
    const waitMs = this.#cells?.waitMs(now) ?? 0;
    this.#cells?.take(units, now);
    return waitMs;
  }

  /** Forgets what is older than a second. */
  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot === this.#slot) return;
    if (slot - this.#slot >= SLOTS || slot < this.#slot) {
      this.#forget();
    } else {
      for (let passed = this.#slot + 1; passed <= slot; passed += 1) {
        this.#sum -= this.#slots[passed % SLOTS] ?? 0;
        this.#slots[passed % SLOTS] = 0;
      }
    }
    this.#slot = slot;
  }

  #forget(): void {
    this.#slots.fill(0);
    this.#sum = 0;
  }

  #untilOldestLeaves(now: number): number {
    for (let slot = this.#slot - SLOTS + 1; slot <= this.#slot; slot += 1) {
      if (this.#slots[(slot + SLOTS) % SLOTS] !== 0) return (slot + SLOTS) * SLOT_MS - now;
    }
    return 0;
  }
}
