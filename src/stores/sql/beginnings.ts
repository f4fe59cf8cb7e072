/** Whether a value begins with one of very many strings. */

/** By length, so that a value is cut once for each length that occurs, not compared with every string. */
export class Beginnings {
  readonly #byLength = new Map<number, Set<string>>();

  constructor(beginnings: readonly string[]) {
    for (const beginning of beginnings) {
      const same = this.#byLength.get(beginning.length);
      if (same === undefined) this.#byLength.set(beginning.length, new Set([beginning]));
      else same.add(beginning);
    }
  }

  /** Whether one of them is what `value` begins with, exactly. */
  begin(value: string): boolean {
    for (const [length, beginnings] of this.#byLength) {
      if (beginnings.has(value.slice(0, length))) return true;
    }
    return false;
  }
}
