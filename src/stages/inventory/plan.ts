/** The plan stage: turns an inventory into batches, streaming, so that the first copy starts before the listing ends. */

import type { BatchObject, ReferencingRow } from "../../domain/batch.ts";
import { PENDING } from "../../domain/batch.ts";
import type { ListedObject } from "../../ports/object-store.ts";
import { rowsNaming } from "../reference-lookup.ts";
import type { PlanContext } from "../stage-contexts.ts";
import { bucketInventory } from "./bucket-inventory.ts";
import { databaseInventory } from "./database-inventory.ts";
import { type Cursor, type InventoryItem, type Place, passes } from "./inventory-item.ts";
import { manifestInventory } from "./manifest-inventory.ts";
import { rangedInventory } from "./ranged-inventory.ts";

export interface PlannedBatch {
  readonly objects: BatchObject[];
  readonly cursor: string;
}

/** The most rows recorded for one key and reference. All are updated, but a default picture may have a million of them. */
const MOST_ROWS_NOTED = 20;

/** The objects of one batch, and where the inventory continues after it and all earlier batches. */
interface Slice {
  readonly items: readonly InventoryItem[];
  readonly place: Place;
}

/** Batches after `cursor` (null: from the start), of `batchSize` objects each; the last and a few at ends of ranges have fewer. */
export async function* planBatches(
  context: PlanContext,
  cursor: string | null,
): AsyncGenerator<PlannedBatch> {
  const start = cursor === null ? null : (JSON.parse(cursor) as Cursor);
  let planned = start?.planned ?? 0;
  for await (const slices of together(slicesAfter(context, start), mostTogether(context))) {
    const rows = await rowsOf(
      context,
      slices.flatMap(({ items }) => items),
    );
    for (const { items, place } of slices) {
      planned += items.length;
      const objects = items.map((item) =>
        toObject(item, [...(item.rows ?? []), ...(rows.get(item.key) ?? [])]),
      );
      yield { objects, cursor: JSON.stringify({ ...place, planned } satisfies Cursor) };
    }
  }
}

/** Batches whose rows are looked up in one statement, which takes no locks; see {@link together} for the first ones. */
const MOST_TOGETHER = 4;

/** One where no rows are looked up, so that no batch waits for another one. */
function mostTogether({ spec, references }: PlanContext): number {
  const known = spec.inventory.from === "database" ? 1 : 0;
  return references.length > known ? MOST_TOGETHER : 1;
}

/** The slices in groups of 1, 2, … up to `most`: small at first, so that the first copies begin early. */
async function* together(slices: AsyncIterable<Slice>, most: number): AsyncGenerator<readonly Slice[]> {
  let group: Slice[] = [];
  let size = 1;
  for await (const slice of slices) {
    group.push(slice);
    if (group.length < size) continue;
    yield group;
    group = [];
    size = Math.min(most, 2 * size);
  }
  if (group.length > 0) yield group;
}

/** With `maxObjects` the first objects in key order are taken; a whole listing may be read in any order, so concurrently. */
function slicesAfter(context: PlanContext, start: Cursor | null): AsyncIterable<Slice> {
  const { inventory, maxObjects } = context.spec;
  return inventory.from === "bucket" && maxObjects === null
    ? rangedSlices(context, start)
    : orderedSlices(context, start);
}

async function* rangedSlices(context: PlanContext, start: Cursor | null): AsyncGenerator<Slice> {
  const whole = { after: start !== null && "position" in start ? start.position : null, upTo: null };
  const ranges = start !== null && "ranges" in start ? start.ranges : [whole];
  const { batchSize } = context.spec;
  const passing = ({ key, modifiedAt }: ListedObject) => passes(context, key, modifiedAt);
  for await (const slice of rangedInventory(context, ranges, batchSize, passing, mostTogether(context))) {
    yield { items: slice.items, place: { ranges: slice.ranges } };
  }
}

async function* orderedSlices(context: PlanContext, start: Cursor | null): AsyncGenerator<Slice> {
  const { spec } = context;
  const position = start !== null && "position" in start ? start.position : null;
  let left = (spec.maxObjects ?? Number.POSITIVE_INFINITY) - (start?.planned ?? 0);
  let items: InventoryItem[] = [];
  const slice = (): Slice => ({ items, place: { position: items.at(-1)?.position ?? "" } });
  for await (const item of inventoryOf(context, position)) {
    if (left <= 0) break;
    if (item.fault === null && !passes(context, item.key, item.modifiedAt)) continue;
    items.push(item);
    left -= 1;
    if (items.length < spec.batchSize) continue;
    yield slice();
    items = [];
  }
  if (items.length > 0) yield slice();
}

function inventoryOf(context: PlanContext, position: string | null): AsyncIterable<InventoryItem> {
  const { from } = context.spec.inventory;
  if (from === "bucket") return bucketInventory(context, position);
  if (from === "database") return databaseInventory(context, position);
  return manifestInventory(context, position);
}

/** The batch of `items`, whose rows are looked up. */
export async function plannedBatch(
  context: PlanContext,
  items: readonly InventoryItem[],
  cursor: string,
): Promise<PlannedBatch> {
  const rows = await rowsOf(context, items);
  const objects = items.map((item) => toObject(item, [...(item.rows ?? []), ...(rows.get(item.key) ?? [])]));
  return { objects, cursor };
}

function toObject(
  { key, size, etag, storageClass, modifiedAt, targetEtag, fault }: InventoryItem,
  rows: readonly ReferencingRow[],
): BatchObject {
  const outcome = fault === null ? PENDING : ({ kind: "exception", ...fault } as const);
  return { key, size, etag, storageClass, modifiedAt, rows, targetEtag, outcome };
}

/** By key, the rows that name it now, without those that the inventory has read itself; the update stage compares with them. */
async function rowsOf(
  context: PlanContext,
  items: readonly InventoryItem[],
): Promise<ReadonlyMap<string, readonly ReferencingRow[]>> {
  const rows = new Map<string, ReferencingRow[]>();
  const isFirstRead = items.some((item) => item.rows !== null);
  const keys = items.map((item) => item.key);
  for (const reference of context.references.keys()) {
    if (reference === 0 && isFirstRead) continue;
    for (const [key, found] of await rowsNaming(context, reference, keys)) {
      const list = rows.get(key) ?? [];
      list.push(...found.slice(0, MOST_ROWS_NOTED).map((row) => ({ reference, id: row.id })));
      rows.set(key, list);
    }
  }
  return rows;
}
