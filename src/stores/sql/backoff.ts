/** Waiting between attempts: full jitter, so that those who collided do not collide again. */

import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits a random time up to `firstMs`, doubled with each earlier attempt, at most 2 s.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
 */
export async function backOff(attempt: number, firstMs: number): Promise<void> {
  await sleep(Math.random() * Math.min(2000, firstMs * 2 ** (attempt - 1)));
}
