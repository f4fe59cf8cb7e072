/** The pause before a failed request is sent again. */

import { hasCode } from "../domain/errors.ts";
import { backoffMs } from "../domain/rates/backoff.ts";

/** Short at first: the bucket's governor lowers the rate, not the pauses of single requests. */
const THROTTLED = { firstMs: 100, mostMs: 10_000 } as const;
const UNAVAILABLE = { firstMs: 100, mostMs: 5_000 } as const;

/** Milliseconds after attempt `count` (1, 2, …) failed with `error`; `random` is 0 to 1. */
export function retryPauseMs(error: unknown, count: number, random: number): number {
  return backoffMs(hasCode(error, "store_throttled") ? THROTTLED : UNAVAILABLE, count, random);
}
