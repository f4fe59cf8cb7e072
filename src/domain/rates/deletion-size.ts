/** How many keys one deletion may have where only a check before it guards them: so few that the check is recent for all. */

import { EvidenceGap } from "../evidence-gap.ts";

/** From the check to the answer of the deletion, ms; a little less than what is promised of the median, 50 ms. */
const WANTED_MS = 40;
/** Least time for the keys of a request: where check and request alone take longer than wanted, fewer keys gain nothing. */
const LEAST_MS = 10;
const FIRST = 16;
const MOST = 1000;
/** At most so much more or less from one request to the next. */
const STEP = 2;
/** Weight of the newest measurement in the averages. */
const NEWEST = 0.3;

/** Measured while a job deletes: stores differ by a factor of a hundred. */
export class DeletionSize {
  /** The measured times; their median is what to expect. */
  readonly gap = new EvidenceGap();
  #keys = FIRST;
  #lookMs: number | null = null;
  #keyMs: number | null = null;

  /** Keys for the next request, 1–1,000. */
  get keys(): number {
    return this.#keys;
  }

  /**
   * A check of `keys` took `lookMs`, and the deletion after it `deleteMs`. The time of a deletion beyond that of a check is
   * attributed to its keys.
   */
  note(keys: number, lookMs: number, deleteMs: number): void {
    this.gap.note(lookMs + deleteMs);
    this.#lookMs = averaged(this.#lookMs, lookMs);
    this.#keyMs = averaged(this.#keyMs, Math.max(0, deleteMs - lookMs) / keys);
    const forKeysMs = Math.max(WANTED_MS - 2 * this.#lookMs, LEAST_MS);
    const wanted = this.#keyMs === 0 ? MOST : forKeysMs / this.#keyMs;
    // A request that had fewer keys than allowed does not show that more would do.
    const most = keys < this.#keys ? this.#keys : this.#keys * STEP;
    const bounded = Math.min(MOST, most, Math.max(wanted, this.#keys / STEP));
    this.#keys = Math.max(1, Math.floor(bounded));
  }
}

function averaged(before: number | null, newest: number): number {
  return before === null ? newest : before + NEWEST * (newest - before);
}
