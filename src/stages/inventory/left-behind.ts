/** Looks again when all that was planned is done: what has come under the old prefix since, or was not seen before? */

import type { BatchObject, ReferencingRow } from "../../domain/batch.ts";
import { possibleKeys } from "../../domain/keys/key-mapping.ts";
import { isSameVersion } from "../../domain/verdict.ts";
import type { LastPlanned } from "../../ports/ledger.ts";
import type { ListedObject, ObjectFailure } from "../../ports/object-store.ts";
import type { PlanContext } from "../stage-contexts.ts";
import { namedKeys } from "./database-inventory.ts";
import { type InventoryItem, passes } from "./inventory-item.ts";
import { advanced, listSource, toItem } from "./listing-page.ts";
import { rowsWithOldKeys } from "./old-key-rows.ts";
import { type PlannedBatch, plannedBatch } from "./plan.ts";
import { type NamedKey, sourcesOf } from "./sources-of-keys.ts";

/** One look at what is left behind. */
export interface LeftoverScan {
  /** Told apart in the ledger by it. */
  readonly round: number;
  /** Objects that may be planned, for `maxObjects`. */
  readonly most: number;
  /** What becomes of the objects: null, they are moved. */
  readonly fault: ObjectFailure | null;
  /** Whether batch `seq` was planned by this look: what it planned may be moved before it comes by there again. */
  isOwn(seq: number): boolean;
}

/**
 * Batches of what is left behind:
 *
 * | inventory  | what stands there or is named                        | is left behind                                 |
 * |------------|------------------------------------------------------|------------------------------------------------|
 * | bucket     | an object under the old prefix that passes           | never planned; or moved and there again        |
 * | database   | a row of the first reference names an old key        | never planned; or moved                        |
 * | any        | a row of any reference names the key of a moved one  | always: the row is changed, nothing is copied  |
 *
 * Exceptions are named already, and what was skipped for being twice in the inventory has its outcome elsewhere. Each batch
 * must be in the ledger before the next one is asked for. Memory does not grow with the number of keys.
 */
export async function* planLeftBehind(
  context: PlanContext,
  again: LeftoverScan,
): AsyncGenerator<PlannedBatch> {
  let left = again.most;
  for (const part of partsOf(context, again)) {
    for await (const items of slices(part, context.spec.batchSize)) {
      const taken = items.slice(0, left).map((item) => ({ ...item, fault: item.fault ?? again.fault }));
      left -= taken.length;
      if (taken.length === 0) return;
      yield await plannedBatch(context, taken, JSON.stringify({ round: again.round }));
    }
  }
}

/** All items of `lists`, so many at a time; the last slice may have fewer. */
async function* slices(
  lists: AsyncIterable<readonly InventoryItem[]>,
  size: number,
): AsyncGenerator<readonly InventoryItem[]> {
  let open: InventoryItem[] = [];
  for await (const list of lists) {
    open.push(...list);
    for (; open.length >= size; open = open.slice(size)) yield open.slice(0, size);
  }
  if (open.length > 0) yield open;
}

function partsOf(context: PlanContext, again: LeftoverScan): AsyncIterable<readonly InventoryItem[]>[] {
  const { spec, references } = context;
  const { inventory } = spec;
  return [
    ...(inventory.from === "bucket" ? [standing(context, again)] : []),
    ...references.map((_, index) => named(context, index, again)),
  ];
}

/** Objects that stand under the source prefix. */
async function* standing(
  context: PlanContext,
  again: LeftoverScan,
): AsyncGenerator<readonly InventoryItem[]> {
  for await (const page of confirmedPages(context)) {
    const objects = page.filter(({ key, modifiedAt }) => passes(context, key, modifiedAt));
    const before = await lastPlanned(context, objects);
    yield objects.flatMap((object): InventoryItem[] => {
      const known = before.get(object.key);
      if (known === undefined) return [toItem(object)];
      return isThereAgain(context, known, object, again) ? [plannedAgain(known, null, object.key)] : [];
    });
  }
}

/**
 * Pages of the source's listing to its end, which counts only when nothing follows the last key: a page that wrongly says it
 * is the last would hide all that comes behind it.
 */
async function* confirmedPages(context: PlanContext): AsyncGenerator<readonly ListedObject[]> {
  for (let after: string | null = null; ; ) {
    const { objects } = await listSource(context, after, context.signal);
    if (objects.length === 0) return;
    after = advanced(after, objects.at(-1)?.key ?? null);
    yield objects;
  }
}

/** Whether a moved source is there again; a source that is to be kept only when it is another version by now. */
function isThereAgain(
  { spec }: PlanContext,
  known: LastPlanned,
  now: ListedObject,
  again: LeftoverScan,
): boolean {
  if (!isMoved(known) || again.isOwn(known.batch)) return false;
  return spec.delete.when !== "never" || !isSameVersion(known.object, now);
}

function isMoved({ object }: LastPlanned): boolean {
  return object.outcome.kind === "moved";
}

/** Objects that rows of reference `index` name by their old keys. */
async function* named(
  context: PlanContext,
  index: number,
  again: LeftoverScan,
): AsyncGenerator<readonly InventoryItem[]> {
  const { inventory } = context.spec;
  const isInventory = inventory.from === "database" && index === 0;
  // With equal prefixes every row names an old key, which is the new one.
  const mayChange = context.relocation.changesKeys;
  if (!isInventory && !mayChange) return;
  for await (const rows of rowsWithOldKeys(context, index)) {
    const keys = namedKeys(context, index, rows);
    const before = await lastPlanned(context, keys);
    const fresh: NamedKey[] = [];
    const moved: InventoryItem[] = [];
    for (const item of keys) {
      const known = before.get(item.key);
      if (known === undefined) fresh.push(item);
      else if (mayChange && item.fault === null && isMoved(known) && !again.isOwn(known.batch)) {
        moved.push(plannedAgain(known, item.rows, item.position));
      }
    }
    const rest = isInventory
      ? await freshSources(context, fresh)
      : await oddlyNamed(context, index, keys, again);
    yield [...moved, ...rest];
  }
}

/**
 * Moved objects that rows may mean whose values are not understood (a query after the URL): such a row cannot be pointed at
 * the copy, and is not to be left without a word.
 */
async function oddlyNamed(
  context: PlanContext,
  index: number,
  keys: readonly NamedKey[],
  again: LeftoverScan,
): Promise<InventoryItem[]> {
  const urlPrefix = context.references[index]?.urlPrefix ?? null;
  if (urlPrefix === null) return [];
  const meant = new Map<string, NamedKey>();
  for (const item of keys) {
    if (item.fault === null) continue;
    for (const key of possibleKeys(urlPrefix, urlPrefix + item.key)) meant.set(key, item);
  }
  const before = await lastPlanned(
    context,
    [...meant.keys()].map((key) => ({ key })),
  );
  return [...before].flatMap(([key, known]): InventoryItem[] => {
    const item = meant.get(key);
    if (item === undefined || !isMoved(known) || again.isOwn(known.batch)) return [];
    return [{ ...plannedAgain(known, item.rows, item.position), fault: item.fault }];
  });
}

/** Sources of keys that were never planned; what the filter does not want is not even looked for. */
async function freshSources(context: PlanContext, keys: readonly NamedKey[]): Promise<InventoryItem[]> {
  const wanted = keys.filter(({ key, fault }) => fault !== null || passes(context, key, null));
  const items = await sourcesOf(context, wanted);
  return items.filter(({ key, fault, modifiedAt }) => fault !== null || passes(context, key, modifiedAt));
}

/** As it was planned and copied before: the copy stage then tells its own copy by the ETag, and a newer source by the rest. */
function plannedAgain(
  { object }: LastPlanned,
  rows: readonly ReferencingRow[] | null,
  position: string,
): InventoryItem {
  const { key, size, etag, storageClass, modifiedAt, targetEtag }: BatchObject = object;
  return { key, size, etag, storageClass, modifiedAt, targetEtag, rows, position, fault: null };
}

function lastPlanned(
  context: PlanContext,
  objects: readonly { readonly key: string }[],
): Promise<ReadonlyMap<string, LastPlanned>> {
  const keys = objects.map(({ key }) => key);
  return keys.length === 0 ? Promise.resolve(new Map()) : context.lastPlanned(keys);
}
