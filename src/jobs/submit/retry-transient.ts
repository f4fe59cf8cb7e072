/** `retryTransient`: retries a read of submission or preflight for some seconds, so that a short outage refuses no job. */

import { DomainError, hasCode, messageOf } from "../../domain/errors.ts";
import { backoffMs } from "../../domain/rates/backoff.ts";
import type { Clock } from "../../ports/clock.ts";

/** No attempt begins after this time. */
const RETRY_FOR_MS = 4_000;
const BACKOFF = { firstMs: 200, mostMs: 1_000 } as const;

/**
 * Gives the result of `read`, which is retried for 4 s while its store or database is unavailable or throttled; then throws
 * that error, with `what` at the beginning of its message. Other errors are thrown at once.
 */
export async function retryTransient<Result>(
  clock: Clock,
  what: string,
  read: () => Promise<Result>,
): Promise<Result> {
  // By the monotonic clock: a wall clock that is set back must not prolong this.
  const until = clock.monotonic() + RETRY_FOR_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (!hasCode(error, "store_unavailable", "store_throttled", "database_unavailable")) throw error;
      if (clock.monotonic() >= until)
        throw new DomainError(error.code, `${what}: ${messageOf(error)}`, { cause: error });
      await clock.sleep(backoffMs(BACKOFF, attempt, 0.5 + Math.random() / 2));
    }
  }
}
