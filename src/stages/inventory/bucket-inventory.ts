/** The inventory from a listing of the source prefix, page after page in key order. */

import type { SourceContext } from "../stage-contexts.ts";
import type { InventoryItem } from "./inventory-item.ts";
import { advanced, listSource, toItem } from "./listing-page.ts";

/** Objects under the source prefix after key `position`. One page is prefetched, so that copying need not wait for it. */
export async function* bucketInventory(
  context: SourceContext,
  position: string | null,
): AsyncGenerator<InventoryItem> {
  const { signal } = context;
  let after = position;
  let ahead = listSource(context, after, signal);
  for (;;) {
    const { objects, more } = await ahead;
    const last = objects.at(-1)?.key ?? null;
    if (more) {
      after = advanced(after, last);
      ahead = listSource(context, after, signal);
      // A rejection is thrown where the page is awaited; this keeps it from being reported as unhandled before.
      ahead.catch(() => {});
    }
    for (const object of objects) yield toItem(object);
    if (!more) return;
  }
}
