/**
 * Objects that URLs in a spelling which no encoder writes may name (`%69mage/a`): they cannot be looked up by index, so the
 * tables are read through. What is seen keeps its object; all that encoders write is asked for by index at each deletion.
 */

import { ageMs, type Moment, momentOf } from "../domain/evidence-age.ts";
import { possibleKeys } from "../domain/keys/key-mapping.ts";
import { KeySpellings } from "../domain/keys/key-spellings.ts";
import type { Clock } from "../ports/clock.ts";
import { isSurelyFound, type ReferenceTable } from "../ports/reference-table.ts";

/** Rows a statement reads; only URL references are read through at all. */
const PAGE = 5000;
/**
 * After this long, counted from the beginning of the reading, the tables are read again before the next deletion; after
 * twice the time the reading took, where that is longer: tables that are read slowly must not be read without end.
 */
const FRESH_MS = 600_000;

export interface UrlTable {
  /** Opened without `where`: a row names an object whatever else it holds. */
  readonly table: ReferenceTable;
  readonly urlPrefix: string;
}

/** The keys that such URLs may mean, remembered for ten minutes; empty for jobs without URL references. */
export class NonCanonicalUrls {
  readonly #tables: readonly UrlTable[];
  readonly #clock: Clock;
  #reading: Promise<ReadonlySet<string>> | null = null;
  #readAt: Moment = { wall: 0, monotonic: 0 };
  #freshMs = FRESH_MS;

  constructor(tables: readonly UrlTable[], clock: Clock) {
    this.#tables = tables;
    this.#clock = clock;
  }

  /** Reads the tables through, at most every ten minutes; callers at the same time share one reading. */
  keys(): Promise<ReadonlySet<string>> {
    if (this.#reading === null || ageMs(this.#readAt, this.#clock) > this.#freshMs) {
      const begunAt = momentOf(this.#clock);
      this.#readAt = begunAt;
      this.#freshMs = Number.POSITIVE_INFINITY;
      const reading = this.#read().finally(() => {
        this.#freshMs = Math.max(FRESH_MS, 2 * (this.#clock.monotonic() - begunAt.monotonic));
      });
      // A failure is not remembered: deleting waits until the tables can be read.
      reading.catch(() => {
        if (this.#reading === reading) this.#reading = null;
      });
      this.#reading = reading;
    }
    return this.#reading;
  }

  async #read(): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (const { table, urlPrefix } of this.#tables) {
      for (let after: string | null = null; ; ) {
        const rows = await table.page(after, urlPrefix, PAGE);
        for (const { value } of rows)
          for (const key of keysInNonCanonicalUrl(urlPrefix, value)) keys.add(key);
        after = rows.at(-1)?.id ?? null;
        if (rows.length < PAGE) break;
      }
    }
    return keys;
  }
}

/** Keys that `value` may mean, without those that the question by index finds, and finds gone when they are. */
function keysInNonCanonicalUrl(urlPrefix: string, value: string): readonly string[] {
  return possibleKeys(urlPrefix, value).filter((key) => {
    if (!key.isWellFormed()) return false;
    const ways = [KeySpellings.withSlashes(urlPrefix, [key]), KeySpellings.withoutSlashes(urlPrefix, [key])];
    return ways.every((way) => way.keysIn(value, isSurelyFound).length === 0);
  });
}
