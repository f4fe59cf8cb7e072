/** The clock of a store: the injected clock and the two ways S3 writes instants. */

/** Reads the injected clock and keeps the last formatted second, since answers repeat it thousands of times. */
export class StoreClock {
  readonly #now: () => Date;
  #httpDate = { second: Number.NaN, text: "" };
  #isoDate = { ms: Number.NaN, text: "" };

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Milliseconds since the epoch. */
  nowMs(): number {
    return this.#now().getTime();
  }

  /** `Wed, 21 Oct 2026 07:28:00 GMT` */
  httpDate(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (this.#httpDate.second !== second) this.#httpDate = { second, text: new Date(ms).toUTCString() };
    return this.#httpDate.text;
  }

  /** `2026-10-21T07:28:00.000Z` */
  isoDate(ms: number): string {
    if (this.#isoDate.ms !== ms) this.#isoDate = { ms, text: new Date(ms).toISOString() };
    return this.#isoDate.text;
  }
}
