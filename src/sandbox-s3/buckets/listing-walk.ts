/** This file walks a bucket's keys for a listing: prefix, start, delimiter, page size. */

import type { StoredVersion } from "../objects/stored-object.ts";
import { fromByteOrder, successorOfPrefix, toByteOrder } from "../protocol/byte-order.ts";
import type { KeyCursor, OrderedKeys } from "./key-index.ts";

/** Where a walk goes and how it cuts. */
export interface WalkOptions {
  readonly prefix: string;
  /** Exclusive; empty for the beginning. */
  readonly after: string;
  readonly delimiter: string;
  readonly maxItems: number;
}

/** What a walk met: a key, or a common prefix of keys. */
export type WalkItem =
  | { readonly kind: "key"; readonly key: string; readonly version: StoredVersion }
  | { readonly kind: "prefix"; readonly prefix: string };

/** One page of a walk. */
export interface WalkPage {
  readonly items: readonly WalkItem[];
  readonly isTruncated: boolean;
}

/** Walks one page; `isVisible` says which newest versions count (a listing of objects skips deleted keys). */
export function walkKeys(
  index: OrderedKeys<StoredVersion>,
  options: WalkOptions,
  isVisible: (version: StoredVersion) => boolean,
): WalkPage {
  const prefix = toByteOrder(options.prefix);
  const delimiter = toByteOrder(options.delimiter);
  const items: WalkItem[] = [];
  if (options.maxItems === 0) return { items, isTruncated: false };

  let cursor = firstKey(index, prefix, toByteOrder(options.after), delimiter);
  while (cursor.ordered?.startsWith(prefix)) {
    const { ordered, value } = cursor as { ordered: string; value: StoredVersion };
    if (!isVisible(value)) {
      cursor.next();
      continue;
    }
    if (items.length === options.maxItems) return { items, isTruncated: true };
    const common = commonPrefix(ordered, prefix, delimiter);
    if (common === undefined) {
      items.push({ kind: "key", key: fromByteOrder(ordered), version: value });
      cursor.next();
    } else {
      items.push({ kind: "prefix", prefix: fromByteOrder(common) });
      cursor = keyAfterPrefix(index, common);
    }
  }
  return { items, isTruncated: false };
}

function firstKey(
  index: OrderedKeys<StoredVersion>,
  prefix: string,
  after: string,
  delimiter: string,
): KeyCursor<StoredVersion> {
  if (after < prefix) return index.seek(prefix);
  // A page that ended with a common prefix goes on behind everything it stands for.
  const isCommonPrefix = delimiter !== "" && after !== prefix && after.endsWith(delimiter);
  return isCommonPrefix && commonPrefix(after, prefix, delimiter) === after
    ? keyAfterPrefix(index, after)
    : index.seek(after, true);
}

function keyAfterPrefix(index: OrderedKeys<StoredVersion>, prefix: string): KeyCursor<StoredVersion> {
  const successor = successorOfPrefix(prefix);
  return successor === undefined ? index.seek(prefix.padEnd(1025, "\uffff")) : index.seek(successor);
}

function commonPrefix(ordered: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const at = ordered.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : ordered.slice(0, at + delimiter.length);
}
