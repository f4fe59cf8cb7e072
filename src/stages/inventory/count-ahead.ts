/** Counts what planning will still find in an inventory, keeping nothing of it: one request or statement at a time. */

import { DomainError } from "../../domain/errors.ts";
import { compareKeys } from "../../domain/keys/key-order.ts";
import type { ExpectedObjects } from "../../ports/ledger.ts";
import type { PlanContext } from "../stage-contexts.ts";
import { readPage } from "./database-inventory.ts";
import type { KeyRange } from "./inventory-item.ts";
import { type Cursor, passes } from "./inventory-item.ts";
import { advanced, listSource } from "./listing-page.ts";

/** Rows of one statement: with the one more that tells whether any follow, the most that any statement looks at. */
export const ROWS = 19_999;
/** Then it rests so many times as long as that took: the database and the copies have four fifths of the time to themselves. */
const RESTS = 4;
/** At most so long: the statement may have waited through a closed window, and only its own time is to be made up for. */
const MOST_REST_MS = 10_000;
/** After so many records of a manifest the counting rests: reading them is all work of this process. */
const RECORDS = 1000;
const REST_MS = 10;

/** How far planning has come. */
export interface PlannedSoFar {
  /** The cursor of the last planned batch. */
  readonly cursor: string;
  /** Bytes of all objects planned so far. */
  readonly bytes: number;
}

/** A count under way: what was found, and how much of it is wanted. */
interface Count {
  objects: number;
  bytes: number;
  readonly most: number;
}

/**
 * What the whole inventory will give, when planning has come to `planned`: what is planned, and what passes the filter of
 * the rest, `maxObjects` at most. Of keys that rows or a manifest name the time of change is not known and not asked
 * for: all are taken to pass `modifiedBefore`. Throws `stopped` when the signal aborts, and what store, table and
 * manifest throw.
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

/** In the order in which planning lists them: counting goes ahead of it and so of all deletions. */
async function countRanges(context: PlanContext, cursor: Cursor, count: Count): Promise<void> {
  const ranges = "ranges" in cursor ? cursor.ranges : [{ after: cursor.position, upTo: null }];
  for (const range of ranges) await countRange(context, range, count);
}

async function countRange(context: PlanContext, { after, upTo }: KeyRange, count: Count): Promise<void> {
  let position = after;
  while (goesOn(context, count)) {
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
  while (goesOn(context, count)) {
    const askedAt = clock.now();
    const { named, last, more } = await readPage(context, after, ROWS);
    for (const { key, fault } of named) if (fault !== null || passes(context, key, null)) add(count, 0);
    if (!more) return;
    after = last;
    await restAfter(context, askedAt);
  }
}

/** Rests after a statement that was asked for at `askedAt`, epoch ms; until the signal aborts. */
export function restAfter({ clock, signal }: PlanContext, askedAt: number): Promise<void> {
  return clock.sleep(Math.min(MOST_REST_MS, RESTS * (clock.now() - askedAt)), signal);
}

/** A key that the manifest repeats within a batch is planned once and counted again. */
async function countRecords(context: PlanContext, after: number, count: Count): Promise<void> {
  const { spec, relocation, manifest, clock, signal } = context;
  const { inventory } = spec;
  if (inventory.from !== "manifest") return;
  let records = 0;
  for await (const { key } of manifest.keys(inventory, relocation.source.bucket, after, signal)) {
    if (!goesOn(context, count)) return;
    // What lies elsewhere is an exception, and counted by planning too.
    if (!relocation.holds(key) || passes(context, key, null)) add(count, 0);
    records += 1;
    if (records % RECORDS === 0) await clock.sleep(REST_MS, signal);
  }
}

/** Whether more is wanted. */
function goesOn({ signal }: PlanContext, { objects, most }: Count): boolean {
  if (signal.aborted) throw new DomainError("stopped", "the inventory need not be counted any more");
  return objects < most;
}

function add(count: Count, size: number): void {
  if (count.objects >= count.most) return;
  count.objects += 1;
  count.bytes += size;
}
