/** Reads the state of many objects of a bucket by listings and HEAD requests, with as few requests as their keys allow. */

import { hasCode } from "../domain/errors.ts";
import { commonPrefix, compareKeys, justBefore } from "../domain/keys/key-order.ts";
import type { Concurrency } from "../pacing/concurrency.ts";
import { yieldToEventLoop } from "../pacing/yield-to-event-loop.ts";
import type { ListedObject, ObjectFacts, ObjectFailure, ObjectStore } from "../ports/object-store.ts";

/** With fewer wanted keys a page HEAD is cheaper: a listing costs 12.5 times a HEAD (S3 price list). */
const WORTH_A_LISTING = 13;
/** After this many HEAD requests a listing is tried again: the keys may be denser there. */
const HEADS_IN_A_ROW = 100;
const PAGE = 1000;

export interface BucketAccess {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly concurrency: Concurrency;
  readonly signal: AbortSignal;
  /** Keys of one listing, 1–1,000, by default 1,000: fewer are answered faster. */
  readonly page?: number;
}

/** The result for one key: the object, null when it does not exist, or the store's refusal (which proves no absence). */
export type HeadResult<Facts> =
  | { readonly object: Facts | null; readonly failure: null }
  | { readonly object: null; readonly failure: ObjectFailure };

/** The results for many keys. The object of a key in neither map does not exist. */
export interface HeadResults {
  readonly found: ReadonlyMap<string, ListedObject>;
  readonly failed: ReadonlyMap<string, ObjectFailure>;
}

/**
 * Reads the objects of `keys` now. Dense keys cost one listing for about a thousand, scattered ones a HEAD request each. A
 * key that the store refuses is a failure of that key only. Other errors of the store are thrown.
 */
export async function headMany(access: BucketAccess, keys: readonly string[]): Promise<HeadResults> {
  const wanted = inOrder(keys);
  const heads = { found: new Map<string, ListedObject>(), failed: new Map<string, ObjectFailure>() };
  // All keys between the first and the last share the common prefix of these two.
  const prefix = commonPrefix([...wanted.slice(0, 1), ...wanted.slice(-1)]);
  let next = 0;
  while (next < wanted.length) {
    const { covered, isDense } = await listFrom(access, wanted, next, prefix, heads.found);
    next += covered;
    if ((isDense || covered === 0) && covered < WORTH_A_LISTING && next < wanted.length) {
      const few = wanted.slice(next, next + HEADS_IN_A_ROW);
      await headEach(access, few, heads);
      next += few.length;
    }
  }
  await yieldToEventLoop();
  return heads;
}

/** Each key once, in the store's order; mostly they are in it already. */
function inOrder(keys: readonly string[]): readonly string[] {
  const isAscending = keys.every((key, at) => at === 0 || compareKeys(keys[at - 1] ?? "", key) < 0);
  return isAscending ? keys : [...new Set(keys)].sort(compareKeys);
}

/** A HEAD request for one key, with its stored checksums if requested. */
export async function headOne(
  access: Omit<BucketAccess, "concurrency">,
  key: string,
  options: { readonly checksums?: boolean } = {},
): Promise<HeadResult<ObjectFacts>> {
  try {
    const object = await access.store.head({ bucket: access.bucket, key }, options, access.signal);
    return { object, failure: null };
  } catch (error) {
    if (!hasCode(error, "store_denied", "store_refused")) throw error;
    const code = error.code === "store_denied" ? "access_denied" : "copy_refused";
    return { object: null, failure: { code, message: `the store will not tell about it: ${error.message}` } };
  }
}

/**
 * Lists one page beginning at `wanted[from]`; gives how many wanted keys it covers, and whether more objects follow it. Keys
 * after its last object count as absent only when a page from there is empty: a page that is wrongly marked as the last would
 * make all keys after it seem absent.
 */
async function listFrom(
  access: BucketAccess,
  wanted: readonly string[],
  from: number,
  prefix: string,
  found: Map<string, ListedObject>,
): Promise<{ readonly covered: number; readonly isDense: boolean }> {
  const startAfter = justBefore(wanted[from] ?? "");
  const limit = access.page ?? PAGE;
  const page = await access.store.list({ bucket: access.bucket, prefix, startAfter, limit }, access.signal);
  await yieldToEventLoop();
  // Both are in order: the index in the page advances with the wanted key.
  let at = 0;
  let covered = 0;
  for (const key of wanted.slice(from)) {
    let object = page.objects[at];
    while (object !== undefined && compareKeys(object.key, key) < 0) {
      at += 1;
      object = page.objects[at];
    }
    if (object?.key === key) found.set(key, object);
    // The page ends before it.
    else if (object === undefined && page.objects.length > 0) break;
    covered += 1;
  }
  return { covered, isDense: page.more };
}

async function headEach(
  access: BucketAccess,
  keys: readonly string[],
  heads: { readonly found: Map<string, ListedObject>; readonly failed: Map<string, ObjectFailure> },
): Promise<void> {
  await access.concurrency.each(keys, async (key) => {
    const { object, failure } = await headOne(access, key);
    if (object !== null) heads.found.set(key, object);
    if (failure !== null) heads.failed.set(key, failure);
  });
}
