/** The inventory from a concurrent listing in key ranges, in slices, each with the ranges that remain after it. */

import type { ListedObject } from "../../ports/object-store.ts";
import type { SourceContext } from "../stage-contexts.ts";
import type { InventoryItem, KeyRange } from "./inventory-item.ts";
import { listSource, toItem } from "./listing-page.ts";
import { type OpenRange, RangedListing, type RangePage } from "./ranged-listing.ts";

/** The most ended ranges with too few objects for a slice that wait for more; each is in the cursor. */
const MOST_REMNANTS = 16;

/** Objects for a batch, and the ranges that contain all objects which are in no slice yet. */
export interface RangedSlice {
  readonly items: readonly InventoryItem[];
  readonly ranges: readonly KeyRange[];
}

/** Objects of a range that are in no slice yet. */
interface Pending {
  items: InventoryItem[];
  /** All passing objects up to this key are in a slice. */
  slicedTo: string | null;
  /** The last key of the range that was read. */
  readTo: string | null;
  /** End of the range, final when the range has ended; before, use the range's own. */
  upTo: string | null;
}

/**
 * Objects in `ranges` that pass, in slices of `most`, fewer only where ranges end. A slice lies in one range, so that later
 * listings of its keys are dense; only the remnants at ends of ranges are combined. `together` slices are consumed at once.
 * When the generator has returned, no request is in flight any more.
 */
export async function* rangedInventory(
  context: SourceContext,
  ranges: readonly KeyRange[],
  most: number,
  passes: (object: ListedObject) => boolean,
  together: number,
): AsyncGenerator<RangedSlice> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([context.signal, leaving.signal]);
  const { prefix } = context.relocation.source;
  const list = (after: string | null) => listSource(context, after, signal);
  const listing = new RangedListing({ prefix, ranges, list, together });
  const slicing = new SliceBuilder(listing, most);
  try {
    for (let page = await listing.next(); page !== null; page = await listing.next()) {
      yield* slicing.add(page, page.objects.filter(passes).map(toItem));
    }
    yield* slicing.rest();
  } finally {
    leaving.abort();
    await listing.end();
  }
}

/** Combines pages of ranges into slices. */
class SliceBuilder {
  readonly #listing: RangedListing;
  readonly #most: number;
  readonly #pending = new Map<OpenRange, Pending>();
  #remnants: Pending[] = [];

  constructor(listing: RangedListing, most: number) {
    this.#listing = listing;
    this.#most = most;
  }

  /** Slices that `page`, of whose objects `items` passed, has filled. */
  *add({ range, objects, isLast }: RangePage, items: readonly InventoryItem[]): Generator<RangedSlice> {
    const pending = this.#of(range);
    if (pending.items.length === 0) pending.slicedTo = pending.readTo;
    pending.readTo = objects.at(-1)?.key ?? pending.readTo;
    pending.items.push(...items);
    if (isLast) {
      this.#pending.delete(range);
      pending.upTo = range.upTo;
      this.#remnants.push(pending);
    }
    while (pending.items.length >= this.#most) yield this.#slice([pending]);
    while (this.#isFull()) yield this.#slice(this.#remnants);
  }

  /** The slices of all remaining objects, after the last page. */
  *rest(): Generator<RangedSlice> {
    while (this.#remnants.some(({ items }) => items.length > 0)) yield this.#slice(this.#remnants);
  }

  #isFull(): boolean {
    this.#remnants = this.#remnants.filter(({ items }) => items.length > 0);
    const items = this.#remnants.reduce((sum, remnant) => sum + remnant.items.length, 0);
    return items >= this.#most || this.#remnants.length > MOST_REMNANTS;
  }

  /** The first objects of `from`, as many as a slice holds. */
  #slice(from: readonly Pending[]): RangedSlice {
    const items: InventoryItem[] = [];
    for (const pending of from) {
      const taken = pending.items.splice(0, this.#most - items.length);
      pending.slicedTo = taken.at(-1)?.key ?? pending.slicedTo;
      items.push(...taken);
    }
    return { items, ranges: this.#left() };
  }

  /** The ranges of all objects that are in no slice, listed or not. */
  #left(): KeyRange[] {
    const open = this.#listing.open.map((range): KeyRange => {
      const { items, slicedTo, readTo } = this.#of(range);
      return { after: items.length > 0 ? slicedTo : readTo, upTo: range.upTo };
    });
    const ended = this.#remnants.flatMap(({ items, slicedTo: after, upTo }): KeyRange[] =>
      items.length > 0 ? [{ after, upTo }] : [],
    );
    return [...ended, ...open];
  }

  #of(range: OpenRange): Pending {
    const known = this.#pending.get(range);
    if (known !== undefined) return known;
    const pending = nothingOf(range);
    this.#pending.set(range, pending);
    return pending;
  }
}

/** The state of a range of which no page was read. */
function nothingOf({ from, upTo }: OpenRange): Pending {
  return { items: [], slicedTo: from, readTo: from, upTo };
}
