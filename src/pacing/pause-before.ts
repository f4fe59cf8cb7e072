/** How long a request waits before it is sent again. */

import { hasCode } from "../domain/errors.ts";
import { backoffMs } from "../domain/rates/backoff.ts";

/** Short at first: the governor, not the waiting of single requests, brings the rate down. */
const THROTTLED = { firstMs: 100, mostMs: 10_000 } as const;
const UNAVAILABLE = { firstMs: 100, mostMs: 5_000 } as const;

/** Milliseconds after attempt `count` (1, 2, …) failed with `error`; `random` 0–1. */
export function pauseMsAfter(error: unknown, count: number, random: number): number {
  return backoffMs(hasCode(error, "store_throttled") ? THROTTLED : UNAVAILABLE, count, random);
}
