/** Waiting between attempts: full jitter, so that statements that collided do not collide again. */

import { setTimeout as sleep } from "node:timers/promises";

/** A stop is obeyed within a second, and it is looked for only after the wait. */
const MOST_MS = 800;

/**
 * Waits a random time up to `firstMs`, doubled with each earlier attempt, at most 0.8 s.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
 */
export async function backOff(attempt: number, firstMs: number): Promise<void> {
  await sleep(Math.random() * Math.min(MOST_MS, firstMs * 2 ** (attempt - 1)));
}
