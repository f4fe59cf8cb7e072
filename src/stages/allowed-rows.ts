/** The number of rows that the next statement may change under the job's limit of rows a second. */

import { DomainError } from "../domain/errors.ts";
import type { RowsContext } from "./stage-contexts.ts";

/** The limit may change during a wait, so it is read again at this interval. */
const RECHECK_MS = 250;
/** The most that one statement changes, as a share of a second's rows: a second's worth at once would be a burst. */
const MOST = 1 / 5;
/** The least, unless fewer are wanted, so that statements stay few; below what `RateLimit` treats as large. */
const LEAST = 0.02;

/**
 * Waits until some of `wanted` rows (> 0) may be changed, counts them against the limit, and gives their number: up to a
 * fifth of a second's worth, so that limits above five times the size of a batch cost no additional statement. Throws
 * `stopped`.
 */
export async function allowedRows(context: RowsContext, wanted: number): Promise<number> {
  const { clock, rowLimit, signal } = context;
  // Before counting: rows delayed after they were counted would be changed together with rows counted later.
  await context.databasesReady();
  for (;;) {
    const perSecond = rowLimit.perSecond;
    if (perSecond === null) return wanted;
    const least = Math.min(wanted, Math.max(1, Math.floor(perSecond * LEAST)));
    const waitMs = rowLimit.waitMs(least, clock.now());
    if (waitMs <= 0) {
      const most = Math.max(1, Math.min(Math.ceil(perSecond * MOST), rowLimit.capacityAt(clock.now())));
      const rows = Math.min(wanted, most);
      rowLimit.take(rows, clock.now());
      return rows;
    }
    await context.whileRateLimited(() => clock.sleep(Math.min(waitMs, RECHECK_MS), signal));
    if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
  }
}
