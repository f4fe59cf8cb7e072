/** RangedListing: lists a prefix by concurrent streams in separate key ranges; more streams only while the consumer waits. */

import { KeyAlphabet } from "../../domain/keys/key-alphabet.ts";
import { codePoints, sharedLength } from "../../domain/keys/key-bisection.ts";
import { compareKeys } from "../../domain/keys/key-order.ts";
import {
  blindSplitPoint,
  logKeySpaceSize,
  type Remainder,
  type SplitPoint,
  splitPoint,
} from "../../domain/keys/split-point.ts";
import type { ListedObject, ListPage } from "../../ports/object-store.ts";
import type { KeyRange } from "./inventory-item.ts";
import { advanced } from "./listing-page.ts";

/**
 * The most streams. At 50 ms a page they give 320,000 keys a second, which is more than one process can parse; the pages and
 * half-filled batches of more streams would only cost memory.
 */
export const MOST_STREAMS = 16;
/** Consecutive pages that the consumer has to wait for before a second stream begins: planning's head start needs eight. */
const PATIENCE = 9;
/** Splits that are always allowed; each costs at most one request more. */
const FREE_SPLITS = 32;
/** Beyond these, one split for this many pages: unpredictable keys cost at most 6 % more requests. */
const PAGES_PER_SPLIT = 16;
/** The share of these that may be made without known characters, which mostly finds no keys. */
const BLIND_SHARE = 0.5;
/** One of this many keys of a page is sampled for its characters. */
const SAMPLE = 97;

/** A range that is being listed. Ranges never overlap, and together contain every key that was not returned yet. */
export interface OpenRange extends KeyRange {
  /** Its beginning; exclusive. */
  readonly from: string | null;
  /** The last listed key. */
  after: string | null;
  upTo: string | null;
  /** Whether a page of it is being requested, or was received and not consumed. */
  isOut: boolean;
  /** Whether it was listed to its end. */
  isEnded: boolean;
  /** Whether a page has shown, since its last split, that more keys follow. */
  isSplittable: boolean;
  pageLevel: number;
  fanLevel: number | null;
  /** The range that it was split from, until its first page was received. */
  origin: OpenRange | null;
}

/** A page of one range, with keys of the range only. */
export interface RangePage {
  readonly range: OpenRange;
  readonly objects: readonly ListedObject[];
  /** Whether it is the last of its range. */
  readonly isLast: boolean;
}

export interface RangedListingParts {
  readonly prefix: string;
  /** Ascending; gaps are not listed. */
  readonly ranges: readonly KeyRange[];
  /** One page after the key. */
  list(startAfter: string | null): Promise<ListPage>;
  /** Number of batches that the consumer combines before it passes them on: it consumes the pages for them without pause. */
  readonly together: number;
}

/** A listing in ranges. The pages of one range come in order; those of different ranges as they are received. */
export class RangedListing {
  readonly #parts: RangedListingParts;
  readonly #prefixLevel: number;
  readonly #alphabet = new KeyAlphabet();
  readonly #ready: RangePage[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #open: OpenRange[];
  #streams = 1;
  #waits = 0;
  #splits = 0;
  #blindSplits = 0;
  #pages = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(parts: RangedListingParts) {
    this.#parts = parts;
    this.#prefixLevel = codePoints(parts.prefix).length;
    this.#open = parts.ranges.map((range) => opened(range, null, null));
  }

  /** Ranges whose last page was not consumed yet, ascending; they change with every call of {@link RangedListing.next}. */
  get open(): readonly OpenRange[] {
    return this.#open;
  }

  /**
   * The next page of any range; null when all have ended. Throws the store's error once all received pages are consumed, and
   * `store_refused` when a listing does not advance.
   */
  async next(): Promise<RangePage | null> {
    this.#noteDemand();
    this.#fill();
    while (this.#ready.length === 0 && this.#underWay.size > 0) await Promise.race(this.#underWay);
    const page = this.#ready.shift();
    if (page === undefined) {
      if (this.#failure !== null) throw this.#failure.error;
      return null;
    }
    page.range.isOut = false;
    if (page.isLast) this.#open = this.#open.filter((range) => range !== page.range);
    this.#fill();
    return page;
  }

  /** Begins no more requests; resolves when none is in flight. */
  async end(): Promise<void> {
    this.#streams = 0;
    await Promise.all(this.#underWay);
  }

  /** Adds a stream when the consumer finds no page ready, and removes one when all streams' pages are ready. */
  #noteDemand(): void {
    if (this.#ready.length >= this.#streams) this.#streams = Math.max(1, this.#streams - 1);
    if (this.#ready.length > 0) {
      this.#waits = 0;
      return;
    }
    this.#waits += 1;
    if (this.#streams > 1 || this.#waits > PATIENCE + this.#parts.together - 1) {
      this.#streams = Math.min(MOST_STREAMS, this.#streams + 1);
    }
  }

  /** Requests pages until as many are in flight or ready as there are streams; the lowest ranges first. */
  #fill(): void {
    while (this.#failure === null && this.#underWay.size + this.#ready.length < this.#streams) {
      const range = this.#open.find(({ isOut, isEnded }) => !isOut && !isEnded) ?? this.#split();
      if (range === null) return;
      range.isOut = true;
      const task: Promise<void> = this.#fetch(range).finally(() => this.#underWay.delete(task));
      this.#underWay.add(task);
    }
  }

  async #fetch(range: OpenRange): Promise<void> {
    try {
      this.#ready.push(this.#taken(range, await this.#parts.list(range.after)));
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** The part of a page that belongs to its range, which may have been split while the page was requested. */
  #taken(range: OpenRange, { objects, more }: ListPage): RangePage {
    const { upTo } = range;
    const last = objects.at(-1)?.key ?? null;
    this.#pages += 1;
    if (more) range.after = advanced(range.after, last);
    range.isEnded = !more || (upTo !== null && last !== null && compareKeys(last, upTo) >= 0);
    range.isSplittable = !range.isEnded;
    const mine = upTo === null ? objects : objects.filter(({ key }) => compareKeys(key, upTo) <= 0);
    // No keys lie beyond that split: the range that it was made in may be split again at once.
    if (mine.length === 0 && range.origin !== null) range.origin.isSplittable = !range.origin.isEnded;
    range.origin = null;
    this.#learn(range, mine);
    return { range, objects: mine, isLast: range.isEnded };
  }

  #learn(range: OpenRange, objects: readonly ListedObject[]): void {
    const first = objects[0]?.key;
    const last = objects.at(-1)?.key;
    if (first === undefined || last === undefined) return;
    range.pageLevel = sharedLength(codePoints(first), codePoints(last));
    const { length } = this.#parts.prefix;
    for (let at = 0; at < objects.length; at += SAMPLE) {
      this.#alphabet.learn(objects[at]?.key.slice(length) ?? "");
    }
    this.#alphabet.learn(last.slice(length));
  }

  /** Splits the range with the largest estimated size and gives the upper part; null when none should be split. */
  #split(): OpenRange | null {
    const unended = this.#open.filter(({ isEnded }) => !isEnded).length;
    const allowed = FREE_SPLITS + this.#pages / PAGES_PER_SPLIT;
    if (unended >= MOST_STREAMS || this.#splits >= allowed) return null;
    const candidates = this.#open
      .flatMap((range) => {
        const remainder = this.#remainderOf(range);
        return remainder === null
          ? []
          : [{ range, remainder, size: logKeySpaceSize(remainder, this.#alphabet) }];
      })
      .sort((a, b) => b.size - a.size);
    for (const { range, remainder } of candidates) {
      const point = splitPoint(remainder, this.#alphabet);
      if (point !== null) return this.#splitAt(range, point);
    }
    const blind = this.#blindSplits < allowed * BLIND_SHARE ? candidates[0] : undefined;
    const point = blind === undefined ? null : blindSplitPoint(blind.remainder);
    if (blind === undefined || point === null) return null;
    this.#blindSplits += 1;
    return this.#splitAt(blind.range, point);
  }

  #remainderOf({ after, upTo, isSplittable, fanLevel, pageLevel }: OpenRange): Remainder | null {
    if (!isSplittable || after === null) return null;
    return { after, upTo, prefixLevel: this.#prefixLevel, fanLevel, pageLevel };
  }

  #splitAt(range: OpenRange, { key, level }: SplitPoint): OpenRange {
    const upper = opened({ after: key, upTo: range.upTo }, range, level);
    range.upTo = key;
    range.isSplittable = false;
    this.#splits += 1;
    this.#open.splice(this.#open.indexOf(range) + 1, 0, upper);
    return upper;
  }
}

function opened({ after, upTo }: KeyRange, origin: OpenRange | null, fanLevel: number | null): OpenRange {
  const state = { isOut: false, isEnded: false, isSplittable: false, pageLevel: 0, fanLevel, origin };
  return { from: after, after, upTo, ...state };
}
