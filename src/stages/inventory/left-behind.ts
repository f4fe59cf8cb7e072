/** The leftover scan after all planned batches are done: objects and rows with old keys that were added since, or missed. */

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

/** The parameters of one scan. */
export interface LeftoverScan {
  /** Number of the round, recorded in the cursor. */
  readonly round: number;
  /** Objects that may be planned, for `maxObjects`. */
  readonly most: number;
  /** The exception that the objects become; null: they are moved. */
  readonly fault: ObjectFailure | null;
  /** Whether batch `seq` was planned by this scan, whose objects may be moved before the scan reads their keys again. */
  isOwn(seq: number): boolean;
}

/**
 * Plans batches of leftovers:
 *
 * | inventory  | found                                                | is a leftover                                  |
 * |------------|------------------------------------------------------|------------------------------------------------|
 * | bucket     | an object under the old prefix that passes           | never planned; or moved and there again       |
 * | database   | a row of the first reference names an old key        | never planned; or moved                        |
 * | any        | a row of any reference names the key of a moved one  | always: the row is changed, nothing is copied  |
 *
 * Exceptions are reported already, and objects skipped as duplicates have their outcome elsewhere. Each batch must be in the
 * ledger before the next one is requested. Memory does not grow with the number of keys.
 */
export async function* planLeftBehind(
  context: PlanContext,
  scan: LeftoverScan,
): AsyncGenerator<PlannedBatch> {
  let left = scan.most;
  for (const part of partsOf(context, scan)) {
    for await (const items of slices(part, context.spec.batchSize)) {
      const taken = items.slice(0, left).map((item) => ({ ...item, fault: item.fault ?? scan.fault }));
      left -= taken.length;
      if (taken.length === 0) return;
      yield await plannedBatch(context, taken, JSON.stringify({ round: scan.round }));
    }
  }
}

/** All items of `lists` in slices of `size`; the last may have fewer. */
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

function partsOf(context: PlanContext, scan: LeftoverScan): AsyncIterable<readonly InventoryItem[]>[] {
  const { spec, references } = context;
  const { inventory } = spec;
  return [
    ...(inventory.from === "bucket" ? [listedLeftovers(context, scan)] : []),
    ...references.map((_, index) => namedLeftovers(context, index, scan)),
  ];
}

/** Leftover objects under the source prefix. */
async function* listedLeftovers(
  context: PlanContext,
  scan: LeftoverScan,
): AsyncGenerator<readonly InventoryItem[]> {
  for await (const page of confirmedPages(context)) {
    const objects = page.filter(({ key, modifiedAt }) => passes(context, key, modifiedAt));
    const before = await lastPlanned(context, objects);
    yield objects.flatMap((object): InventoryItem[] => {
      const known = before.get(object.key);
      if (known === undefined) return [toItem(object)];
      return isThereAgain(context, known, object, scan) ? [plannedAgain(known, null, object.key)] : [];
    });
  }
}

/**
 * Pages of the source's listing until one is empty: a page that is wrongly marked as the last would hide all keys after it.
 */
async function* confirmedPages(context: PlanContext): AsyncGenerator<readonly ListedObject[]> {
  for (let after: string | null = null; ; ) {
    const { objects } = await listSource(context, after, context.signal);
    if (objects.length === 0) return;
    after = advanced(after, objects.at(-1)?.key ?? null);
    yield objects;
  }
}

/** Whether a moved source exists again; where sources are kept, only when it is another version. */
function isThereAgain(
  { spec }: PlanContext,
  known: LastPlanned,
  now: ListedObject,
  scan: LeftoverScan,
): boolean {
  if (!isMoved(known) || scan.isOwn(known.batch)) return false;
  return spec.delete.when !== "never" || !isSameVersion(known.object, now);
}

function isMoved({ object }: LastPlanned): boolean {
  return object.outcome.kind === "moved";
}

/** Leftover objects that rows of reference `index` name by their old keys. */
async function* namedLeftovers(
  context: PlanContext,
  index: number,
  scan: LeftoverScan,
): AsyncGenerator<readonly InventoryItem[]> {
  const { inventory } = context.spec;
  const isInventory = inventory.from === "database" && index === 0;
  // With equal prefixes old and new keys are equal, so no row needs a change.
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
      else if (mayChange && item.fault === null && isMoved(known) && !scan.isOwn(known.batch)) {
        moved.push(plannedAgain(known, item.rows, item.position));
      }
    }
    const rest = isInventory
      ? await freshSources(context, fresh)
      : await inUnknownForms(context, index, keys, scan);
    yield [...moved, ...rest];
  }
}

/**
 * Moved objects that values in no known form may mean (a query after the URL): such a row cannot be pointed at the copy, so
 * it is reported as an exception.
 */
async function inUnknownForms(
  context: PlanContext,
  index: number,
  keys: readonly NamedKey[],
  scan: LeftoverScan,
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
    if (item === undefined || !isMoved(known) || scan.isOwn(known.batch)) return [];
    return [{ ...plannedAgain(known, item.rows, item.position), fault: item.fault }];
  });
}

/** Sources of keys that were never planned; no request is sent for keys that the filter excludes. */
async function freshSources(context: PlanContext, keys: readonly NamedKey[]): Promise<InventoryItem[]> {
  const wanted = keys.filter(({ key, fault }) => fault !== null || passes(context, key, null));
  const items = await sourcesOf(context, wanted);
  return items.filter(({ key, fault, modifiedAt }) => fault !== null || passes(context, key, modifiedAt));
}

/** The object as it was planned and copied: the copy stage recognises its own copy by the ETag, a newer source by the rest. */
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
