/** Ends of stages: one fenced UPDATE each, and a transaction around it only when exceptions came up. */

import { type Batch, laterState, stateAfter } from "../../../domain/batch.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { Lease, Ledger, StageOutcome } from "../../../ports/ledger.ts";
import { FENCE, fenceHolds, fenceValues, leaseLost } from "../fence.ts";
import type { LedgerSession, Sql, SqlValue } from "../ledger-session.ts";
import { encodeObjects } from "./batch-encoding.ts";
import { stageSumsOf, sumsOf } from "./batch-sums.ts";
import { insertExceptions } from "./exception-records.ts";
import type { KnownObjects } from "./known-objects.ts";
import { encodeOutcomes } from "./outcome-encoding.ts";

/** The ends of stages; `known` tells what of them is new. */
export function stageRecords(session: LedgerSession, known: KnownObjects): Pick<Ledger, "recordStage"> {
  return {
    /** Records the end of a stage; writing the same end again changes nothing. */
    async recordStage(lease, outcome) {
      const { batch, stage, endedAt } = outcome;
      const failed = known.newExceptions(batch.objects);
      const update = stageUpdate(lease, outcome, known.factsMayDiffer(batch.objects));
      const write = async (sql: Sql): Promise<void> => {
        const changed = await sql.change(update.statement, update.values);
        if (changed === 0) throw await notWritten(sql, lease, batch);
        const place = { jobId: batch.jobId, seq: batch.seq, stage, at: endedAt };
        await insertExceptions(session, sql, place, failed);
      };
      if (failed.length === 0) await session.run(write);
      else await session.transaction(write);
      known.note(batch.objects);
    },
  };
}

function stageUpdate(
  lease: Lease,
  outcome: StageOutcome,
  withObjects: boolean,
): { statement: string; values: SqlValue[] } {
  const { batch, stage, startedAt, endedAt, attempts, rows, isPartial = false } = outcome;
  const columns: Record<string, SqlValue> = {
    [`${stage}_started_at`]: startedAt,
    [`${stage}_ended_at`]: endedAt,
    state: isPartial ? batch.state : laterState(stateAfter(stage), batch.state),
    worker: lease.owner,
    outcomes: encodeOutcomes(batch.objects),
    ...sumsOf(batch.objects),
    ...(isPartial ? {} : stageSumsOf(stage, batch.objects)),
    ...(withObjects ? { objects: encodeObjects(batch.objects) } : {}),
  };
  // The same outcome written twice (its first answer was lost) counts once. These come first, for MariaDB
  // assigns from left to right and they look at what was there before.
  const once = (column: string): string =>
    `${column} = ${column} + CASE WHEN ${stage}_started_at = ? AND ${stage}_ended_at = ? THEN 0 ELSE ? END`;
  const added = [once(`${stage}_attempts`), once("rows_updated")];
  const set = [...added, ...Object.keys(columns).map((name) => `${name} = ?`)];
  return {
    statement: `UPDATE tranship_batches SET ${set.join(", ")} WHERE job_id = ? AND seq = ? AND ${FENCE}`,
    values: [
      ...[startedAt, endedAt, attempts],
      ...[startedAt, endedAt, rows],
      ...Object.values(columns),
      ...[lease.jobId, batch.seq],
      ...fenceValues(lease),
    ],
  };
}

async function notWritten(sql: Sql, lease: Lease, batch: Batch): Promise<DomainError> {
  if (!(await fenceHolds(sql, lease))) return leaseLost(lease);
  return new DomainError("internal", `Job ${lease.jobId} has no batch ${batch.seq} to record a stage of.`);
}
