/** The plan stage: turns an inventory into batches, streaming, so that the first copy starts before the listing ends. */

import type { BatchObject, NamingRow } from "../domain/batch.ts";
import { GOING } from "../domain/batch.ts";
import { DomainError } from "../domain/errors.ts";
import type { ObjectFailure } from "../ports/object-store.ts";
import { bucketInventory } from "./bucket-inventory.ts";
import { databaseInventory } from "./database-inventory.ts";
import { manifestInventory } from "./manifest-inventory.ts";
import { rowsNaming } from "./naming.ts";
import type { StageContext } from "./stage-context.ts";

/** An object as an inventory gives it, and the position after it. */
export interface InventoryItem {
  readonly key: string;
  readonly size: number;
  /** Empty: not in the source bucket. */
  readonly etag: string;
  readonly storageClass: string | null;
  /** Epoch milliseconds; null when the object is not there. */
  readonly modifiedAt: number | null;
  /** Rows the inventory itself has read; null: not asked yet. */
  readonly rows: readonly NamingRow[] | null;
  /** Where the inventory goes on after this item. */
  readonly position: string;
  /** Why it cannot be moved, where that is known already: no key at all, or the store will not tell about it. */
  readonly fault: ObjectFailure | null;
}

export interface PlannedBatch {
  readonly objects: BatchObject[];
  readonly cursor: string;
}

/** Rows noted for one key and reference; all are updated, but a default picture may have a million of them. */
const MOST_ROWS_NOTED = 20;

/** What the cursor of a batch holds. */
interface Cursor {
  readonly position: string;
  /** Objects planned so far, for `maxObjects`. */
  readonly planned: number;
}

/** Batches after `cursor` (null: from the start), each of `batchSize` objects but the last. */
export async function* planBatches(
  context: StageContext,
  cursor: string | null,
): AsyncGenerator<PlannedBatch> {
  const { spec } = context;
  const start: Cursor | null = cursor === null ? null : (JSON.parse(cursor) as Cursor);
  let planned = start?.planned ?? 0;
  let items: InventoryItem[] = [];
  const most = spec.maxObjects ?? Number.POSITIVE_INFINITY;
  for await (const item of inventoryOf(context, start?.position ?? null)) {
    if (planned + items.length >= most) break;
    if (!passes(context, item)) continue;
    items.push(item);
    if (items.length < spec.batchSize) continue;
    planned += items.length;
    yield await toBatch(context, items, planned);
    items = [];
  }
  if (items.length > 0) yield await toBatch(context, items, planned + items.length);
}

function inventoryOf(context: StageContext, position: string | null): AsyncIterable<InventoryItem> {
  const { from } = context.spec.inventory;
  if (from === "bucket") return bucketInventory(context, position);
  if (from === "database") return databaseInventory(context, position);
  return manifestInventory(context, position);
}

/** The job's own filter. An object that is not there passes: it must be accounted for. */
function passes(context: StageContext, item: InventoryItem): boolean {
  const { prefix } = context.spec.source;
  if (item.fault !== null) return true;
  if (!item.key.startsWith(prefix)) {
    throw new DomainError("internal", "an inventory gave a key outside the source prefix");
  }
  return context.filter(item.key.slice(prefix.length), item.modifiedAt ?? 0);
}

async function toBatch(
  context: StageContext,
  items: InventoryItem[],
  planned: number,
): Promise<PlannedBatch> {
  const position = items.at(-1)?.position ?? "";
  const rows = await rowsOf(context, items);
  const objects = items.map(
    ({ key, size, etag, storageClass, fault }): BatchObject => ({
      key,
      size,
      etag,
      storageClass,
      rows: rows.get(key) ?? [],
      targetEtag: null,
      fate: fault === null ? GOING : { kind: "exception", ...fault },
    }),
  );
  return { objects, cursor: JSON.stringify({ position, planned } satisfies Cursor) };
}

/** The rows that name each key now: what the update stage will expect to change. */
async function rowsOf(
  context: StageContext,
  items: readonly InventoryItem[],
): Promise<Map<string, NamingRow[]>> {
  const rows = new Map<string, NamingRow[]>();
  const asked = items.filter((item) => item.rows !== null);
  for (const item of asked) rows.set(item.key, [...(item.rows ?? [])]);
  const keys = items.map((item) => item.key);
  for (const reference of context.references.keys()) {
    if (reference === 0 && asked.length > 0) continue;
    for (const [key, found] of await rowsNaming(context, reference, keys)) {
      const list = rows.get(key) ?? [];
      list.push(...found.slice(0, MOST_ROWS_NOTED).map((row) => ({ reference, id: row.id })));
      rows.set(key, list);
    }
  }
  return rows;
}
