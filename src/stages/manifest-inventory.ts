/** The inventory from a manifest: a list of keys somebody else has made. */

import type { InventoryItem } from "./plan.ts";
import { type NamedKey, sourcesOf } from "./sources-of-keys.ts";
import type { StageContext } from "./stage-context.ts";

/** Keys under the source prefix in record order after record `position`; a repetition within a slice is dropped. */
export async function* manifestInventory(
  context: StageContext,
  position: string | null,
): AsyncGenerator<InventoryItem> {
  const { spec, manifest, signal } = context;
  const { inventory } = spec;
  if (inventory.from !== "manifest") return;
  let slice = new Map<string, NamedKey>();
  const after = position === null ? 0 : Number(position);
  for await (const { key, record } of manifest.keys(inventory, spec.source.bucket, after, signal)) {
    if (!key.startsWith(spec.source.prefix)) continue;
    slice.delete(key);
    slice.set(key, { key, rows: null, position: String(record), fault: null });
    if (slice.size < spec.batchSize) continue;
    yield* await sourcesOf(context, [...slice.values()]);
    slice = new Map();
  }
  if (slice.size > 0) yield* await sourcesOf(context, [...slice.values()]);
}
