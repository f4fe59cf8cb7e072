/** How many keys one deletion may have where only a look guards them: so few that the look is young for all of them. */

import { EvidenceGap } from "../evidence-gap.ts";

/** From the look to the answer of the deletion, ms; a little less than what is promised of the median, 50 ms. */
const WANTED_MS = 40;
/** Time for the keys that a request has at least: where look and request alone take longer than wanted, few keys gain nothing. */
const LEAST_MS = 10;
const FIRST = 16;
const MOST = 1000;
/** At most so much more or less from one request to the next. */
const STEP = 2;
/** Weight of the newest measurement in the averages. */
const NEWEST = 0.3;

/** Learned while a job deletes: stores differ by a factor of a hundred. */
export class DeletionSize {
  /** What was measured; its median is what to expect. */
  readonly gap = new EvidenceGap();
  #keys = FIRST;
  #lookMs: number | null = null;
  #keyMs: number | null = null;

  /** Keys for the next request, 1–1,000. */
  get keys(): number {
    return this.#keys;
  }

  /**
   * A look at `keys` took `lookMs`, and the deletion after it `deleteMs`. What a deletion takes beyond a look is taken to
   * be for its keys.
   */
  note(keys: number, lookMs: number, deleteMs: number): void {
    this.gap.note(lookMs + deleteMs);
    this.#lookMs = averaged(this.#lookMs, lookMs);
    this.#keyMs = averaged(this.#keyMs, Math.max(0, deleteMs - lookMs) / keys);
    const forKeysMs = Math.max(WANTED_MS - 2 * this.#lookMs, LEAST_MS);
    const wanted = this.#keyMs === 0 ? MOST : forKeysMs / this.#keyMs;
    // A request that had fewer keys than it might is no reason for more.
    const most = keys < this.#keys ? this.#keys : this.#keys * STEP;
    const bounded = Math.min(MOST, most, Math.max(wanted, this.#keys / STEP));
    this.#keys = Math.max(1, Math.floor(bounded));
  }
}

function averaged(before: number | null, newest: number): number {
  return before === null ? newest : before + NEWEST * (newest - before);
}
