/** How many rows the next statement may change under the job's limit of rows a second. */

import { DomainError } from "../domain/errors.ts";
import type { RowsContext } from "./stage-contexts.ts";

/** The limit may be raised or lowered while somebody waits. */
const RECHECK_MS = 250;
/** Share of a second's rows that one statement changes at most: a second's worth at once would be a burst. */
const MOST = 1 / 5;
/** And at least, unless fewer are wanted: a statement for each row that becomes free would be too many. Not large for a Pace. */
const LEAST = 0.02;

/**
 * Waits until some of `wanted` rows (> 0) may be changed, counts them against the limit, and gives how many: as many as
 * a fifth of a second's worth, so that limits beyond five times the size of a batch cost no statement more. Throws
 * `stopped`.
 */
export async function allowedRows(context: RowsContext, wanted: number): Promise<number> {
  const { clock, rowLimit, signal } = context;
  // What is held back after it was counted would come together with what is counted then.
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
