/** What inventories give, and where they go on. */

import type { ReferencingRow } from "../../domain/batch.ts";
import { DomainError } from "../../domain/errors.ts";
import type { ObjectFailure } from "../../ports/object-store.ts";
import type { PlanContext } from "../stage-contexts.ts";

/** An object as an inventory gives it, and the position after it. */
export interface InventoryItem {
  readonly key: string;
  readonly size: number;
  /** Empty: not in the source bucket. */
  readonly etag: string;
  readonly storageClass: string | null;
  /** Epoch milliseconds; null when the object is not there. */
  readonly modifiedAt: number | null;
  /** Of the copy that this job has made of it before; null when it has made none. */
  readonly targetEtag: string | null;
  /** Rows the inventory itself has read; null: not asked yet. */
  readonly rows: readonly ReferencingRow[] | null;
  /** Where the inventory goes on after this item. */
  readonly position: string;
  /** Why it cannot be moved, where that is known already: no key at all, or the store will not tell about it. */
  readonly fault: ObjectFailure | null;
}

/** Keys after `after` (null: from the start) up to and with `upTo` (null: to the end of the prefix). */
export interface KeyRange {
  readonly after: string | null;
  readonly upTo: string | null;
}

/** Where the inventory goes on: behind one position, or in ranges of keys that are listed side by side. */
export type Place = { readonly position: string } | { readonly ranges: readonly KeyRange[] };

/** What the cursor of a batch holds. */
export type Cursor = Place & {
  /** Objects planned so far, for `maxObjects`. */
  readonly planned: number;
};

/** The job's own filter. An object that is not there passes: it must be accounted for. */
export function passes(
  context: Pick<PlanContext, "relocation" | "filter">,
  key: string,
  modifiedAt: number | null,
): boolean {
  const { relocation, filter } = context;
  if (!relocation.holds(key)) {
    throw new DomainError("internal", "an inventory gave a key outside the source prefix");
  }
  return filter(key.slice(relocation.source.prefix.length), modifiedAt ?? 0);
}
