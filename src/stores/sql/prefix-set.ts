/** Whether a value has one of very many prefixes. */

/** Prefixes by length: a value is cut once for each length that occurs, not compared with every prefix. */
export class PrefixSet {
  readonly #byLength = new Map<number, Set<string>>();

  constructor(prefixes: readonly string[]) {
    for (const prefix of prefixes) {
      const same = this.#byLength.get(prefix.length);
      if (same === undefined) this.#byLength.set(prefix.length, new Set([prefix]));
      else same.add(prefix);
    }
  }

  /** Whether `value` starts with one of them, exactly. */
  matches(value: string): boolean {
    for (const [length, prefixes] of this.#byLength) {
      if (prefixes.has(value.slice(0, length))) return true;
    }
    return false;
  }
}
