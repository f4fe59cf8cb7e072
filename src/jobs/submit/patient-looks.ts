/** Looks around before a job is one: somebody waits for the answer, and one hiccup of a store is not worth a refusal. */

import { DomainError, hasCode, messageOf } from "../../domain/errors.ts";
import { backoffMs } from "../../domain/rates/backoff.ts";
import type { Clock } from "../../ports/clock.ts";

/** After so long no further attempt is begun. */
const PATIENCE_MS = 4_000;
const AGAIN = { firstMs: 200, mostMs: 1_000 } as const;

/**
 * Gives what `look` finds, which is repeated for a few seconds while what it asks does not answer or is throttled. Then
 * throws that error, whose message begins with `what` was asked.
 */
export async function lookPatiently<Found>(
  clock: Clock,
  what: string,
  look: () => Promise<Found>,
): Promise<Found> {
  // By the monotonic clock: one that is set back must not make this last for hours.
  const until = clock.monotonic() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await look();
    } catch (error) {
      if (!hasCode(error, "store_unavailable", "store_throttled", "database_unavailable")) throw error;
      if (clock.monotonic() >= until)
        throw new DomainError(error.code, `${what}: ${messageOf(error)}`, { cause: error });
      await clock.sleep(backoffMs(AGAIN, attempt, 0.5 + Math.random() / 2));
    }
  }
}
