/** How many requests and statements of a job are under way: it is waiting only when none is. */

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

  /** Whether nothing is under way, and nothing was in the last `ms`: between two requests there is always a moment. */
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

/** Whether `at` is at most `ms` before `now`; a moment that a set-back clock made future is long ago. */
export function isWithin(ms: number, at: number, now: number): boolean {
  return at <= now && now - at <= ms;
}
