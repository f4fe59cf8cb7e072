/** How many keys one deletion may have where only a look guards them: so few that the look is young for all of them. */

import { EvidenceGap } from "./evidence-gap.ts";

/** From the look to the answer of the deletion, ms; a little less than what is promised of the median, 50 ms. */
const WANTED_MS = 40;
const FIRST = 16;
const MOST = 1000;
/** Growth for a request that was quick enough. */
const GROWTH = 1.25;

/** Learned while a job deletes: stores differ by a factor of a hundred. */
export class DeletionSize {
  /** What was measured; its median is what to expect. */
  readonly gap = new EvidenceGap();
  #keys = FIRST;

  /** Keys for the next request, 1–1,000. */
  get keys(): number {
    return this.#keys;
  }

  /** A deletion of `keys` was answered `ms` after the look at them was begun. */
  note(keys: number, ms: number): void {
    this.gap.note(ms);
    if (ms > WANTED_MS) this.#keys = Math.max(1, Math.floor((keys * WANTED_MS) / ms));
    else if (keys >= this.#keys) this.#keys = Math.min(MOST, Math.ceil(this.#keys * GROWTH));
  }
}
