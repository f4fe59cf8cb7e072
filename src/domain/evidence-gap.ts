/** The age that evidence had reached when the request that relied on it was answered: a rolling median. */

const REMEMBERED = 101;

/** The median of the last 101 measurements. */
export class EvidenceGap {
  readonly #last: number[] = [];
  #next = 0;

  /** Records that a check of an object was sent `ms` before the request that relied on it was answered. */
  note(ms: number): void {
    this.#last[this.#next] = ms;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** The median, ms; null before the first measurement. */
  get medianMs(): number | null {
    const ordered = [...this.#last].sort((a, b) => a - b);
    return ordered[ordered.length >> 1] ?? null;
  }
}
