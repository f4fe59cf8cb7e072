/**
 * NonCanonicalUrls: URLs in a spelling that no encoder writes (`%69mage/a`) cannot be looked up by index, so the tables are
 * scanned for them, and the objects they may name are not deleted. Encoders' spellings are looked up at each deletion.
 */

import { ageMs, type Moment, momentOf } from "../domain/evidence-age.ts";
import { possibleKeys } from "../domain/keys/key-mapping.ts";
import { KeySpellings } from "../domain/keys/key-spellings.ts";
import type { Clock } from "../ports/clock.ts";
import { isSurelyFound, type ReferenceTable } from "../ports/reference-table.ts";

/** Rows a statement reads; only URL references are scanned. */
const PAGE = 5000;
/**
 * A scan is repeated before the next deletion when its beginning is longer ago than this, or than twice the scan's duration
 * where that is longer: slow scans must not run continuously.
 */
const FRESH_MS = 600_000;

export interface UrlTable {
  /** Opened without `where`: all rows count. */
  readonly table: ReferenceTable;
  readonly urlPrefix: string;
}

/** The keys that such URLs may mean, cached for ten minutes; empty for jobs without URL references. */
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

  /** The keys; scans the tables at most every ten minutes, once for concurrent callers. Throws what the tables throw. */
  keys(): Promise<ReadonlySet<string>> {
    if (this.#reading === null || ageMs(this.#readAt, this.#clock) > this.#freshMs) {
      const begunAt = momentOf(this.#clock);
      this.#readAt = begunAt;
      this.#freshMs = Number.POSITIVE_INFINITY;
      const reading = this.#read().finally(() => {
        this.#freshMs = Math.max(FRESH_MS, 2 * (this.#clock.monotonic() - begunAt.monotonic));
      });
      // A failure is not cached: deletions wait until the tables can be read.
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

/** Keys that `value` may mean, without those that the lookup by index finds, which is always up to date. */
function keysInNonCanonicalUrl(urlPrefix: string, value: string): readonly string[] {
  return possibleKeys(urlPrefix, value).filter((key) => {
    if (!key.isWellFormed()) return false;
    const ways = [KeySpellings.withSlashes(urlPrefix, [key]), KeySpellings.withoutSlashes(urlPrefix, [key])];
    return ways.every((way) => way.keysIn(value, isSurelyFound).length === 0);
  });
}
