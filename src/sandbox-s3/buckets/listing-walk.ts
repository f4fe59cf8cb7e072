/** Pages of a bucket in key order: prefix, start, page size. */

import type { StoredVersion } from "../objects/stored-object.ts";
import { fromByteOrder, toByteOrder } from "../protocol/byte-order.ts";
import type { OrderedKeys } from "./key-index.ts";

/** Which page. */
export interface WalkOptions {
  readonly prefix: string;
  /** Exclusive; empty for the beginning. */
  readonly after: string;
  readonly maxItems: number;
}

/** A key with its newest version. */
export interface ListedKey<V extends StoredVersion = StoredVersion> {
  readonly key: string;
  readonly version: V;
}

/** One page of a walk. */
export interface WalkPage<V extends StoredVersion = StoredVersion> {
  readonly items: readonly ListedKey<V>[];
  readonly isTruncated: boolean;
}

/** Walks one page; `isVisible` says which newest versions count (a listing of objects skips deleted keys). */
export function walkKeys<V extends StoredVersion>(
  index: OrderedKeys<StoredVersion>,
  { prefix, after, maxItems }: WalkOptions,
  isVisible: (version: StoredVersion) => version is V,
): WalkPage<V> {
  const [from, start] = [toByteOrder(prefix), toByteOrder(after)];
  const items: ListedKey<V>[] = [];
  if (maxItems === 0) return { items, isTruncated: false };
  const cursor = start < from ? index.seek(from) : index.seek(start, true);
  for (; cursor.ordered?.startsWith(from); cursor.next()) {
    const { value } = cursor;
    if (value === undefined || !isVisible(value)) continue;
    if (items.length === maxItems) return { items, isTruncated: true };
    items.push({ key: fromByteOrder(cursor.ordered), version: value });
  }
  return { items, isTruncated: false };
}
