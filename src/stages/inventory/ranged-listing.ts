/** Lists a prefix by several streams, each in a range of its own; more streams only while whoever asks has to wait. */

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
 * Streams at most. At 50 ms a page they give 320,000 keys a second, which is more than one process can parse; the pages
 * and half-filled batches of more would only cost memory.
 */
export const MOST_STREAMS = 16;
/** Pages asked for in vain, one after the other, before a second stream begins: planning's head start needs eight. */
const PATIENCE = 9;
/** Cuts that are always allowed; each costs one request more at most. */
const FREE_CUTS = 32;
/** Beyond these, one cut for so many pages: keys that defy all guessing cost 6 % more requests at most. */
const PAGES_A_CUT = 16;
/** The share of these that may be made by bytes alone, which mostly finds nothing. */
const BLIND_SHARE = 0.5;
/** Every how many keys of a page one is looked at for its characters. */
const SAMPLE = 97;

/** A range that is being listed. Ranges never overlap, and together hold every key that was not given out. */
export interface OpenRange extends KeyRange {
  /** Where it began; exclusive. */
  readonly from: string | null;
  /** How far it was listed. */
  after: string | null;
  upTo: string | null;
  /** A page of it is under way, or has come and was not taken. */
  isOut: boolean;
  /** Listed to its end. */
  isEnded: boolean;
  /** Whether a page has shown, since it was last cut, that keys are left. */
  isCuttable: boolean;
  pageLevel: number;
  fanLevel: number | null;
  /** What it was cut off from, until its first page has come. */
  origin: OpenRange | null;
}

/** A page of one range, only keys of the range. */
export interface RangePage {
  readonly range: OpenRange;
  readonly objects: readonly ListedObject[];
  /** Whether it is the last of its range. */
  readonly isLast: boolean;
}

export interface RangedListingParts {
  readonly prefix: string;
  /** Ascending; without gaps but for what needs no listing. */
  readonly ranges: readonly KeyRange[];
  /** One page after the key. */
  list(startAfter: string | null): Promise<ListPage>;
  /** Batches that planning puts together before it gives them on: it takes the pages for them in one go. */
  readonly together: number;
}

/** A listing in ranges. The pages of one range come in order; those of several as they arrive. */
export class RangedListing {
  readonly #parts: RangedListingParts;
  readonly #prefixLevel: number;
  readonly #alphabet = new KeyAlphabet();
  readonly #ready: RangePage[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #open: OpenRange[];
  #streams = 1;
  #waits = 0;
  #cuts = 0;
  #blindCuts = 0;
  #pages = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(parts: RangedListingParts) {
    this.#parts = parts;
    this.#prefixLevel = codePoints(parts.prefix).length;
    this.#open = parts.ranges.map((range) => opened(range, null, null));
  }

  /** Ranges whose last page was not taken yet, ascending; they change with every call of {@link RangedListing.next}. */
  get open(): readonly OpenRange[] {
    return this.#open;
  }

  /**
   * The next page of any range; null when all have ended. Throws what the store threw, when all pages that came are
   * taken, and `store_refused` when a listing does not go on.
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

  /** Begins no request any more; resolves when none is under way. */
  async end(): Promise<void> {
    this.#streams = 0;
    await Promise.all(this.#underWay);
  }

  /** Whoever finds no page waits for the store: one stream more. Whoever finds them all has enough: one less. */
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

  /** As many pages under way or ready as there are streams; the lowest ranges first. */
  #fill(): void {
    while (this.#failure === null && this.#underWay.size + this.#ready.length < this.#streams) {
      const range = this.#open.find(({ isOut, isEnded }) => !isOut && !isEnded) ?? this.#cut();
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

  /** What of a page belongs to its range, which may have been cut while the page was under way. */
  #taken(range: OpenRange, { objects, more }: ListPage): RangePage {
    const { upTo } = range;
    const last = objects.at(-1)?.key ?? null;
    this.#pages += 1;
    if (more) range.after = advanced(range.after, last);
    range.isEnded = !more || (upTo !== null && last !== null && compareKeys(last, upTo) >= 0);
    range.isCuttable = !range.isEnded;
    const mine = upTo === null ? objects : objects.filter(({ key }) => compareKeys(key, upTo) <= 0);
    // Nothing lies beyond that cut: the range it was made in may be cut again at once.
    if (mine.length === 0 && range.origin !== null) range.origin.isCuttable = !range.origin.isEnded;
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

  /** Cuts what seems the largest range in two and gives the upper part; null when none should be cut. */
  #cut(): OpenRange | null {
    const unended = this.#open.filter(({ isEnded }) => !isEnded).length;
    const allowed = FREE_CUTS + this.#pages / PAGES_A_CUT;
    if (unended >= MOST_STREAMS || this.#cuts >= allowed) return null;
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
      if (point !== null) return this.#cutAt(range, point);
    }
    const blind = this.#blindCuts < allowed * BLIND_SHARE ? candidates[0] : undefined;
    const point = blind === undefined ? null : blindSplitPoint(blind.remainder);
    if (blind === undefined || point === null) return null;
    this.#blindCuts += 1;
    return this.#cutAt(blind.range, point);
  }

  #remainderOf({ after, upTo, isCuttable, fanLevel, pageLevel }: OpenRange): Remainder | null {
    if (!isCuttable || after === null) return null;
    return { after, upTo, prefixLevel: this.#prefixLevel, fanLevel, pageLevel };
  }

  #cutAt(range: OpenRange, { key, level }: SplitPoint): OpenRange {
    const upper = opened({ after: key, upTo: range.upTo }, range, level);
    range.upTo = key;
    range.isCuttable = false;
    this.#cuts += 1;
    this.#open.splice(this.#open.indexOf(range) + 1, 0, upper);
    return upper;
  }
}

function opened({ after, upTo }: KeyRange, origin: OpenRange | null, fanLevel: number | null): OpenRange {
  const state = { isOut: false, isEnded: false, isCuttable: false, pageLevel: 0, fanLevel, origin };
  return { from: after, after, upTo, ...state };
}
