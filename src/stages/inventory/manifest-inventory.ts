/** The inventory from a manifest, a list of keys that the operator provides. */

import type { ObjectFailure } from "../../ports/object-store.ts";
import type { PlanContext } from "../stage-contexts.ts";
import type { InventoryItem } from "./inventory-item.ts";
import { type NamedKey, sourcesOf } from "./sources-of-keys.ts";

const OUTSIDE: ObjectFailure = {
  code: "outside_prefix",
  message: "the manifest names this key, which is not under the source prefix",
};

/**
 * Keys in record order after record `position`, those outside the source prefix with a fault; repetitions within a slice of
 * `batchSize` are dropped.
 */
export async function* manifestInventory(
  context: PlanContext,
  position: string | null,
): AsyncGenerator<InventoryItem> {
  const { spec, relocation, manifest, signal } = context;
  const { inventory } = spec;
  if (inventory.from !== "manifest") return;
  let slice = new Map<string, NamedKey>();
  const after = position === null ? 0 : Number(position);
  for await (const { key, record } of manifest.keys(inventory, relocation.source.bucket, after, signal)) {
    const fault = relocation.holds(key) ? null : OUTSIDE;
    slice.delete(key);
    slice.set(key, { key, rows: null, position: String(record), fault });
    if (slice.size < spec.batchSize) continue;
    yield* await sourcesOf(context, [...slice.values()]);
    slice = new Map();
  }
  if (slice.size > 0) yield* await sourcesOf(context, [...slice.values()]);
}
