/** A bucket in memory that can only be listed: in order, and with answers that come when the test wants. */

import { compareKeys } from "../../src/domain/keys/key-order.ts";
import type { ListedObject, ListPage, ListRequest } from "../../src/ports/object-store.ts";
import { VirtualClock } from "./clocks/virtual-clock.ts";

export interface ListedBucket {
  list(request: ListRequest): Promise<ListPage>;
  readonly asked: readonly ListRequest[];
  /** A request takes 1 ms of it unless `deliver` is given: what the listing takes in latencies. */
  readonly clock: VirtualClock;
}

export interface BucketManners {
  /** The store's own limit of keys a page. */
  readonly page?: number;
  /** Called with each answer that is due; answers when it calls back. */
  readonly deliver?: (answer: () => void) => void;
}

/** A bucket of `keys`, in any order, each an object of its own. */
export function listedBucket(keys: readonly string[], manners: BucketManners = {}): ListedBucket {
  const sorted = [...new Set(keys)].sort(compareKeys);
  const asked: ListRequest[] = [];
  const clock = new VirtualClock(0, "free");
  const deliver = manners.deliver ?? ((answer: () => void) => void clock.sleep(1).then(answer));
  return {
    asked,
    clock,
    list(request) {
      asked.push(request);
      const page = pageOf(sorted, request, manners.page ?? 1000);
      return new Promise((resolve) => deliver(() => resolve(page)));
    },
  };
}

function pageOf(sorted: readonly string[], request: ListRequest, most: number): ListPage {
  const { prefix, startAfter, limit } = request;
  const from = firstAbove(sorted, startAfter, prefix);
  const objects: ListedObject[] = [];
  let at = from;
  while (objects.length < Math.min(limit, most) && sorted[at]?.startsWith(prefix)) {
    objects.push(listed(sorted[at] ?? ""));
    at += 1;
  }
  return { objects, more: sorted[at]?.startsWith(prefix) === true };
}

function firstAbove(sorted: readonly string[], startAfter: string | null, prefix: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = sorted[middle] ?? "";
    const isBelow =
      compareKeys(key, prefix) < 0 || (startAfter !== null && compareKeys(key, startAfter) <= 0);
    if (isBelow) low = middle + 1;
    else high = middle;
  }
  return low;
}

function listed(key: string): ListedObject {
  return { key, size: key.length, etag: `etag of ${key}`, storageClass: null, modifiedAt: 0 };
}
