/** Looks at many objects of a bucket with as few requests as their keys allow. */

import { commonPrefix, compareKeys, justBefore } from "../domain/key-order.ts";
import { type Concurrency, runAll } from "../pacing/concurrency.ts";
import type { ListedObject, ObjectStore } from "../ports/object-store.ts";

/** Below so many wanted keys a page, HEAD is cheaper: a listing costs 12.5 times a HEAD (S3 price list). */
const WORTH_A_LISTING = 13;
/** After so many HEADs the next listing is tried again: keys may lie denser there. */
const HEADS_IN_A_ROW = 100;
const PAGE = 1000;

export interface Look {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly concurrency: Concurrency;
  readonly signal: AbortSignal;
}

/**
 * Looks at `keys` now. Gives those that exist; a key that is missing from the answer was not there.
 * Dense keys cost one listing for about a thousand, scattered ones a HEAD each.
 */
export async function lookAt(look: Look, keys: readonly string[]): Promise<Map<string, ListedObject>> {
  const wanted = [...new Set(keys)].sort(compareKeys);
  const found = new Map<string, ListedObject>();
  const prefix = commonPrefix(wanted);
  let next = 0;
  while (next < wanted.length) {
    const covered = await listFrom(look, wanted, next, prefix, found);
    next += covered;
    if (covered < WORTH_A_LISTING && next < wanted.length) {
      const few = wanted.slice(next, next + HEADS_IN_A_ROW);
      await headEach(look, few, found);
      next += few.length;
    }
  }
  return found;
}

/** Lists one page beginning at `wanted[from]`; gives how many wanted keys it has answered. */
async function listFrom(
  look: Look,
  wanted: readonly string[],
  from: number,
  prefix: string,
  found: Map<string, ListedObject>,
): Promise<number> {
  const startAfter = justBefore(wanted[from] ?? "");
  const page = await look.store.list({ bucket: look.bucket, prefix, startAfter, limit: PAGE }, look.signal);
  const listed = new Map(page.objects.map((object) => [object.key, object]));
  const last = page.more ? (page.objects.at(-1)?.key ?? startAfter) : null;
  let covered = 0;
  for (const key of wanted.slice(from)) {
    if (last !== null && compareKeys(key, last) > 0) break;
    const object = listed.get(key);
    if (object !== undefined) found.set(key, object);
    covered += 1;
  }
  return covered;
}

async function headEach(
  look: Look,
  keys: readonly string[],
  found: Map<string, ListedObject>,
): Promise<void> {
  await runAll(
    keys.map((key) =>
      look.concurrency.run(async () => {
        const object = await look.store.head({ bucket: look.bucket, key }, {}, look.signal);
        if (object !== null) found.set(key, object);
      }),
    ),
  );
}
