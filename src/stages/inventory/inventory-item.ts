/** The items of inventories, and the positions from which they continue. */

import type { ReferencingRow } from "../../domain/batch.ts";
import { DomainError } from "../../domain/errors.ts";
import type { ObjectFailure } from "../../ports/object-store.ts";
import type { PlanContext } from "../stage-contexts.ts";

/** An object as an inventory gives it, and the position after it. */
export interface InventoryItem {
  readonly key: string;
  readonly size: number;
  /** Empty when the object is not in the source bucket. */
  readonly etag: string;
  readonly storageClass: string | null;
  /** `LastModified`, epoch milliseconds; null when the object does not exist. */
  readonly modifiedAt: number | null;
  /** ETag of the copy that this job has made of it before; null when there is none. */
  readonly targetEtag: string | null;
  /** Rows that the inventory itself has read; null: not queried yet. */
  readonly rows: readonly ReferencingRow[] | null;
  /** The position from which the inventory continues after this item. */
  readonly position: string;
  /** Why it cannot be moved, where that is known already: the value names no key, or the store refused to give the object. */
  readonly fault: ObjectFailure | null;
}

/** Keys after `after` (null: from the start) up to and including `upTo` (null: to the end of the prefix). */
export interface KeyRange {
  readonly after: string | null;
  readonly upTo: string | null;
}

/** Where the inventory continues: after one position, or in key ranges that are listed concurrently. */
export type Place = { readonly position: string } | { readonly ranges: readonly KeyRange[] };

/** The content of a batch's cursor. */
export type Cursor = Place & {
  /** Objects planned so far, for `maxObjects`. */
  readonly planned: number;
};

/** Applies the job's filter. An object that does not exist passes, as it must be accounted for. */
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
