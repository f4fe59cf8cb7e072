/** The characters of the keys listed so far; keys that are not listed yet probably consist of the same ones. */

import { codePoints } from "./key-bisection.ts";

/** More characters would make split points slower to find and no better. */
const MOST_POINTS = 1024;

/** A set of code points in byte order. */
export class KeyAlphabet {
  readonly #known = new Set<number>();
  #sorted: readonly number[] | null = null;

  /** Adds the characters of `text`. */
  learn(text: string): void {
    for (const point of codePoints(text)) {
      if (this.#known.has(point) || this.#known.size >= MOST_POINTS) continue;
      this.#known.add(point);
      this.#sorted = null;
    }
  }

  get size(): number {
    return this.#known.size;
  }

  /** The known characters above `low` and below `high`, ascending. */
  between(low: number, high: number): readonly number[] {
    return this.#ordered().slice(this.rank(low + 1), this.rank(high));
  }

  /** How many known characters are below `point`. */
  rank(point: number): number {
    const ordered = this.#ordered();
    let low = 0;
    let high = ordered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ordered[middle] ?? 0) < point) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #ordered(): readonly number[] {
    this.#sorted ??= [...this.#known].sort((a, b) => a - b);
    return this.#sorted;
  }
}
