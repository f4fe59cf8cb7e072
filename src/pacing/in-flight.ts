/** How many requests and statements of a job are in flight: the job can be waiting only when none is. */

export class InFlight {
  readonly #now: () => number;
  #count = 0;
  #endedAt = Number.NEGATIVE_INFINITY;

  /** `now` gives epoch ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether none is in flight and none was in the last `ms`: a job that works has gaps between its requests. */
  isStill(ms: number): boolean {
    return this.#count === 0 && !isWithin(ms, this.#endedAt, this.#now());
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#endedAt = this.#now();
  }
}

/** Whether `at` is at most `ms` before `now`. False for an `at` in the future: the clock was set back since. */
export function isWithin(ms: number, at: number, now: number): boolean {
  return at <= now && now - at <= ms;
}
