/** Counts the objects that planning will still find in an inventory, in constant memory, one request at a time. */

import { DomainError } from "../../domain/errors.ts";
import { compareKeys } from "../../domain/keys/key-order.ts";
import type { ExpectedObjects } from "../../ports/ledger.ts";
import type { PlanContext } from "../stage-contexts.ts";
import { readPage } from "./database-inventory.ts";
import type { KeyRange } from "./inventory-item.ts";
import { type Cursor, passes } from "./inventory-item.ts";
import { advanced, listSource } from "./listing-page.ts";

/** Rows of one statement; with the one more that shows whether any follow, 20,000: the most that any statement reads. */
export const ROWS = 19_999;
/** Pause after a statement, in multiples of its duration: four fifths of the time are left to other statements. */
const PAUSE_FACTOR = 4;
/** Upper bound of that pause: a statement may have waited through a closed window, which must not lengthen the pause. */
const MOST_PAUSE_MS = 10_000;
/** The count pauses after this many records of a manifest, as reading them takes this process's CPU time. */
const RECORDS = 1000;
const PAUSE_MS = 10;

/** The progress of planning. */
export interface PlannedSoFar {
  /** The cursor of the last planned batch. */
  readonly cursor: string;
  /** Bytes of all objects planned so far. */
  readonly bytes: number;
}

/** The sums of a count, and the most objects to count. */
interface Count {
  objects: number;
  bytes: number;
  readonly most: number;
}

/**
 * The expected size of the whole inventory: what is planned so far (`planned`), and what passes the filter of the rest,
 * `maxObjects` at most. For keys from rows or a manifest the time of change is unknown and not requested: all are counted
 * as passing `modifiedBefore`. Throws `stopped` when the signal aborts, and what store, table and manifest throw.
 */
export async function countAhead(context: PlanContext, planned: PlannedSoFar): Promise<ExpectedObjects> {
  const { inventory, maxObjects } = context.spec;
  const cursor = JSON.parse(planned.cursor) as Cursor;
  const most = (maxObjects ?? Number.POSITIVE_INFINITY) - cursor.planned;
  const count: Count = { objects: 0, bytes: 0, most };
  if (inventory.from === "bucket") await countRanges(context, cursor, count);
  else if ("position" in cursor && inventory.from === "database") {
    await countRows(context, cursor.position, count);
  } else if ("position" in cursor) await countRecords(context, Number(cursor.position), count);
  const bytes = inventory.from === "bucket" ? planned.bytes + count.bytes : null;
  return { objects: cursor.planned + count.objects, bytes };
}

/** In the order of planning, so that the count stays ahead of it, and so of all deletions. */
async function countRanges(context: PlanContext, cursor: Cursor, count: Count): Promise<void> {
  const ranges = "ranges" in cursor ? cursor.ranges : [{ after: cursor.position, upTo: null }];
  for (const range of ranges) await countRange(context, range, count);
}

async function countRange(context: PlanContext, { after, upTo }: KeyRange, count: Count): Promise<void> {
  let position = after;
  while (isIncomplete(context, count)) {
    const { objects, more } = await listSource(context, position, context.signal);
    const mine = upTo === null ? objects : objects.filter(({ key }) => compareKeys(key, upTo) <= 0);
    for (const { key, size, modifiedAt } of mine) if (passes(context, key, modifiedAt)) add(count, size);
    if (!more || mine.length < objects.length) return;
    position = advanced(position, objects.at(-1)?.key ?? null);
  }
}

async function countRows(context: PlanContext, position: string, count: Count): Promise<void> {
  const { clock } = context;
  let after: string | null = position;
  while (isIncomplete(context, count)) {
    const askedAt = clock.now();
    const { named, last, more } = await readPage(context, after, ROWS);
    for (const { key, fault } of named) if (fault !== null || passes(context, key, null)) add(count, 0);
    if (!more) return;
    after = last;
    await pauseAfter(context, askedAt);
  }
}

/** Pauses after a statement that was sent at `askedAt`, epoch ms; ends when the signal aborts. */
export function pauseAfter({ clock, signal }: PlanContext, askedAt: number): Promise<void> {
  return clock.sleep(Math.min(MOST_PAUSE_MS, PAUSE_FACTOR * (clock.now() - askedAt)), signal);
}

/** A key that the manifest repeats within a batch is planned once but counted each time. */
async function countRecords(context: PlanContext, after: number, count: Count): Promise<void> {
  const { spec, relocation, manifest, clock, signal } = context;
  const { inventory } = spec;
  if (inventory.from !== "manifest") return;
  let records = 0;
  for await (const { key } of manifest.keys(inventory, relocation.source.bucket, after, signal)) {
    if (!isIncomplete(context, count)) return;
    // Keys outside the source prefix are planned too, as exceptions.
    if (!relocation.holds(key) || passes(context, key, null)) add(count, 0);
    records += 1;
    if (records % RECORDS === 0) await clock.sleep(PAUSE_MS, signal);
  }
}

/** Whether more objects are to be counted; throws `stopped`. */
function isIncomplete({ signal }: PlanContext, { objects, most }: Count): boolean {
  if (signal.aborted) throw new DomainError("stopped", "the inventory need not be counted any more");
  return objects < most;
}

function add(count: Count, size: number): void {
  if (count.objects >= count.most) return;
  count.objects += 1;
  count.bytes += size;
}
