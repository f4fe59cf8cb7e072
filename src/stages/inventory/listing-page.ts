/** Pages of the source's listing, and the check that they advance. */

import { DomainError } from "../../domain/errors.ts";
import { compareKeys } from "../../domain/keys/key-order.ts";
import type { ListedObject, ListPage } from "../../ports/object-store.ts";
import type { SourceContext } from "../stage-contexts.ts";
import type { InventoryItem } from "./inventory-item.ts";

const PAGE = 1000;

/** One page of objects under the source prefix after key `startAfter`. */
export function listSource(
  { source, relocation }: SourceContext,
  startAfter: string | null,
  signal: AbortSignal,
): Promise<ListPage> {
  const { bucket, prefix } = relocation.source;
  return source.list({ bucket, prefix, startAfter, limit: PAGE }, signal);
}

/** The next position, `last`; throws `store_refused` when it is not after `before`, as the listing would never end. */
export function advanced(before: string | null, last: string | null): string {
  if (last === null || (before !== null && compareKeys(last, before) <= 0)) {
    throw new DomainError(
      "store_refused",
      "the store's listing does not advance: it repeats or reorders keys",
    );
  }
  return last;
}

/** The inventory item of a listed object. */
export function toItem({ key, size, etag, storageClass, modifiedAt }: ListedObject): InventoryItem {
  const known = { rows: null, targetEtag: null, position: key, fault: null };
  return { key, size, etag, storageClass, modifiedAt, ...known };
}
