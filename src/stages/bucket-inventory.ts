/** The inventory from a listing of the source prefix, page after page in key order. */

import { DomainError } from "../domain/errors.ts";
import { compareKeys } from "../domain/key-order.ts";
import type { ListedObject } from "../ports/object-store.ts";
import type { InventoryItem } from "./plan.ts";
import type { StageContext } from "./stage-context.ts";

const PAGE = 1000;

/** Objects under the source prefix after key `position`. One page is fetched ahead, so that copiers need not wait. */
export async function* bucketInventory(
  context: StageContext,
  position: string | null,
): AsyncGenerator<InventoryItem> {
  let after = position;
  let ahead = page(context, after);
  for (;;) {
    const { objects, more } = await ahead;
    const last = objects.at(-1)?.key ?? null;
    if (more) {
      after = advanced(after, last);
      ahead = page(context, after);
      // A rejection is thrown when the page is awaited; until then it is nobody's unhandled one.
      ahead.catch(() => {});
    }
    for (const object of objects) yield toItem(object);
    if (!more) return;
  }
}

function page(context: StageContext, startAfter: string | null) {
  const { source, spec, signal } = context;
  return source.list(
    { bucket: spec.source.bucket, prefix: spec.source.prefix, startAfter, limit: PAGE },
    signal,
  );
}

/** Fails loudly when a store gives a page that does not go on: an endless loop would look like work. */
function advanced(before: string | null, last: string | null): string {
  if (last === null || (before !== null && compareKeys(last, before) <= 0)) {
    throw new DomainError(
      "store_refused",
      "the store's listing does not advance: it repeats or reorders keys",
    );
  }
  return last;
}

function toItem(object: ListedObject): InventoryItem {
  const { key, size, etag, storageClass, modifiedAt } = object;
  return { key, size, etag, storageClass, modifiedAt, rows: null, position: key, fault: null };
}
