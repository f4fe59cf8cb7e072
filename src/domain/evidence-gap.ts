/** How long evidence was old when it was acted on: the last measurements, of which the median tells what to expect. */

const REMEMBERED = 101;

export class EvidenceGap {
  readonly #last: number[] = [];
  #next = 0;

  /** A look at an object was sent `ms` before the answer came to the request that relied on it. */
  note(ms: number): void {
    this.#last[this.#next] = ms;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** The median of the last hundred, ms; null before the first. */
  get medianMs(): number | null {
    const ordered = [...this.#last].sort((a, b) => a - b);
    return ordered[ordered.length >> 1] ?? null;
  }
}
