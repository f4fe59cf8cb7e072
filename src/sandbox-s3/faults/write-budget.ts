/** Limits how many writes a second a bucket takes, as S3 does for each partition. */

/**
 * A token bucket; after a pause, a tenth of a second's worth of writes may come at once. A bulk delete that finds any token is admitted whole and leaves a debt, so that one request may
 * cost more than the burst, while the long-run rate stays exact.
 */
export class WriteBudget {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  #tokens: number;
  #filledAtMs: number;
  #granted = 0;

  /** `nowMs` is a monotonic clock in milliseconds. */
  constructor(writesPerSecond: number, nowMs: () => number) {
    this.#perMs = writesPerSecond / 1000;
    this.#burst = Math.max(1, Math.ceil(writesPerSecond / 10));
    this.#nowMs = nowMs;
    this.#tokens = this.#burst;
    this.#filledAtMs = nowMs();
  }

  /** Writes admitted so far. */
  get granted(): number {
    return this.#granted;
  }

  /** Takes `cost` writes, or answers `false` and takes nothing. */
  take(cost: number): boolean {
    const nowMs = this.#nowMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= cost;
    this.#granted += cost;
    return true;
  }
}
