/** The rows of objects that have landed: of consignments that are under way, by the terms that the table has of them. */

import { messageOf } from "../domain/errors.ts";
import { type FlaggedRecord, placeName } from "../engines/aws/copy-log-records.ts";
import type { CopyLogs } from "../engines/aws/copy-logs.ts";
import type { JobTerms } from "../engines/aws/user-arguments.ts";
import type { Clock } from "../ports/clock.ts";
import type { UpdatingJob } from "./copy-ports.ts";

export interface LandedRowsParts {
  readonly logs: Pick<CopyLogs, "termsOf">;
  /** See `RowUpdater.update`. */
  update(job: UpdatingJob, keys: readonly string[]): Promise<number>;
  readonly clock: Pick<Clock, "now">;
  log(line: Readonly<Record<string, unknown>>): void;
}

/**
 * Updates the rows of the objects of `records` and gives their number: of one consignment together, and only of objects
 * whose ETag proves the copy. `hasTime`: whether the function's time lasts for another statement. What fails is told in the
 * log and is no error: the service's update stage has the last word.
 */
export async function updateLandedRows(
  { logs, update, clock, log }: LandedRowsParts,
  records: readonly FlaggedRecord[],
  hasTime: () => boolean,
): Promise<number> {
  const proven = records.filter(({ etag, pinned }) => etag === pinned);
  let rows = 0;
  for (const token of new Set(proven.map(({ job }) => job))) {
    try {
      const terms = await logs.termsOf(token);
      if (terms === null || terms.updates === null) continue;
      const { updates, sourcePrefix: from, targetPrefix: to, notAfter } = terms;
      const mayBegin = () => (notAfter === null || clock.now() < notAfter) && hasTime();
      const keys = proven.filter(({ job }) => job === token).flatMap((record) => keyIn(terms, record));
      rows += await update({ token, updates, change: { from, to }, mayBegin }, keys);
    } catch (error) {
      log({ event: "rows_left", reason: messageOf(error) });
    }
  }
  return rows;
}

/** The source's key, where it is one of the job's. */
function keyIn({ sourceBucket, sourcePrefix }: JobTerms, { source }: FlaggedRecord): string[] {
  if (!source.startsWith(placeName({ bucket: sourceBucket, key: sourcePrefix }))) return [];
  return [source.slice(sourceBucket.length + 1)];
}
