/** The spellings of keys in URLs, and the keys that a URL in a row may mean. */

import { PATH_ENDS, slashlessPrefix, slashlessSpellingsOf, spellingsOf } from "./url-spellings.ts";

/** The spellings of some keys under one `urlPrefix`. */
export class KeySpellings {
  /** One value may mean several keys. */
  readonly #keysOf = new Map<string, string[]>();

  private constructor(keys: readonly string[], spellings: (key: string) => readonly string[]) {
    for (const key of keys) {
      for (const value of spellings(key)) {
        const same = this.#keysOf.get(value);
        if (same === undefined) this.#keysOf.set(value, [key]);
        else same.push(key);
      }
    }
  }

  /** As most encoders spell `keys`: see {@link spellingsOf}. */
  static withSlashes(urlPrefix: string, keys: readonly string[]): KeySpellings {
    return new KeySpellings(keys, (key) => spellingsOf(urlPrefix, key));
  }

  /** As encoders of whole keys do: see {@link slashlessSpellingsOf}. */
  static withoutSlashes(urlPrefix: string, keys: readonly string[]): KeySpellings {
    return new KeySpellings(keys, (key) => slashlessSpellingsOf(urlPrefix, key));
  }

  /** All spellings, and the prefixes of values that have a query or fragment after one. */
  question(): { readonly values: readonly string[]; readonly prefixes: readonly string[] } {
    const values = [...this.#keysOf.keys()];
    return { values, prefixes: values.flatMap((value) => PATH_ENDS.map((end) => value + end)) };
  }

  /**
   * The keys that a row's `value` may mean, alone or followed by a query or fragment; a query or fragment counts only when
   * `isFound` is true for the text after its `?` or `#`.
   */
  keysIn(value: string, isFound: (rest: string) => boolean = () => true): readonly string[] {
    const keys = [...(this.#keysOf.get(value) ?? [])];
    for (let at = 0; at < value.length; at += 1) {
      const isEnd = PATH_ENDS.some((end) => value[at] === end);
      if (isEnd && isFound(value.slice(at + 1))) keys.push(...(this.#keysOf.get(value.slice(0, at)) ?? []));
    }
    return keys;
  }

  /** The distinct prefixes of the spellings up to the first escaped slash; null when there are more than `most`. */
  commonPrefixes(most: number): readonly string[] | null {
    const prefixes = new Set<string>();
    for (const value of this.#keysOf.keys()) {
      prefixes.add(slashlessPrefix(value));
      if (prefixes.size > most) return null;
    }
    return [...prefixes];
  }
}
