/** One object out of millions: the fingerprints lead to the few batches that may hold it, and only those are opened. */

import { type BatchObject, type BatchState, isBefore, type Stage } from "../../../domain/batch.ts";
import type { Ledger, ObjectHistory } from "../../../ports/ledger.ts";
import { exactNumber, exactNumberOrNull } from "../columns/exact-number.ts";
import { findJob } from "../jobs/job-records.ts";
import type { LedgerSession, Sql, SqlValue } from "../ledger-session.ts";
import { batchOf, STORED_COLUMNS, type StoredBatch } from "./batch-reads.ts";
import { fingerprintsOf } from "./key-fingerprints.ts";

interface StoredHistory extends StoredBatch {
  readonly worker: string | null;
  readonly planned_at: unknown;
  readonly copy_ended_at: unknown;
  readonly verify_ended_at: unknown;
  readonly delete_ended_at: unknown;
}

/** The condition that a batch `b` may hold `key`; bytes are compared, never by collation. */
export function mayHold(jobId: string, key: string): { condition: string; values: SqlValue[] } {
  const bytes = Buffer.from(key, "utf8");
  return {
    condition: "b.job_id = ? AND b.first_key <= ? AND b.last_key >= ? AND INSTR(b.fingerprints, ?) > 0",
    values: [jobId, bytes, bytes, fingerprintsOf([key])],
  };
}

/** One object out of millions. */
export function objectLookup(session: LedgerSession): Pick<Ledger, "objectHistory"> {
  return {
    /** What became of `key`; of several batches that hold it, the newest that tells most. */
    async objectHistory(jobId, key) {
      const { condition, values } = mayHold(jobId, key);
      return session.run(async (sql) => {
        const rows = await sql.rows<StoredHistory>(
          `SELECT ${STORED_COLUMNS}, b.worker, b.planned_at, b.copy_ended_at, b.verify_ended_at, b.delete_ended_at
           FROM tranship_batches b WHERE ${condition} ORDER BY b.seq DESC`,
          values,
        );
        const [best] = rows.flatMap((row) => sightings(row, key)).sort((a, b) => b.weight - a.weight);
        return best === undefined ? null : historyOf(session, sql, best);
      });
    },
  };
}

interface Sighting {
  readonly row: StoredHistory;
  readonly object: BatchObject;
  readonly position: number;
  /** How much its outcome tells: retried and duplicate ones only point to another batch. */
  readonly weight: number;
}

/** Where `key` is in `row`, the last first. */
function sightings(row: StoredHistory, key: string): Sighting[] {
  return batchOf(row)
    .objects.flatMap((object, position) =>
      object.key === key ? [{ row, object, position, weight: weightOf(object) }] : [],
    )
    .reverse();
}

function weightOf(object: BatchObject): number {
  if (isAccountedFor(object)) return 2;
  return object.outcome.kind === "skipped" && object.outcome.reason === "retried" ? 0 : 1;
}

/** Whether the object has its outcome in this batch: one that was retried, or is a duplicate, has it in another. */
export function isAccountedFor({ outcome }: BatchObject): boolean {
  return outcome.kind !== "skipped" || (outcome.reason !== "retried" && outcome.reason !== "duplicate");
}

async function historyOf(session: LedgerSession, sql: Sql, sighting: Sighting): Promise<ObjectHistory> {
  const { row, object } = sighting;
  const { outcome } = object;
  const failedAt = outcome.kind === "exception" ? await stageOfException(sql, sighting) : null;
  const job = await findJob(session, sql, row.job_id);
  // What a stage did for this object: nothing after the stage that it failed at, nothing when it was left alone.
  const passed = (stage: Stage, endedAt: unknown): number | null => {
    const reached = outcome.kind !== "skipped" && (failedAt === null || isBefore(stage, failedAt));
    return reached ? exactNumberOrNull(endedAt) : null;
  };
  const deletes = outcome.kind === "moved" && job?.spec.delete.when !== "never";
  return {
    key: object.key,
    batch: row.seq,
    batchState: row.state as BatchState,
    size: object.size,
    etag: object.etag,
    targetEtag: object.targetEtag,
    rows: object.rows.length,
    outcome,
    worker: row.worker,
    plannedAt: exactNumber(row.planned_at),
    copiedAt: passed("copy", row.copy_ended_at),
    verifiedAt: passed("verify", row.verify_ended_at),
    updatedAt: passed("update", row.update_ended_at),
    deletedAt: deletes ? passed("delete", row.delete_ended_at) : null,
  };
}

async function stageOfException(sql: Sql, { row, position }: Sighting): Promise<Stage> {
  const [found] = await sql.rows<{ stage: Stage }>(
    "SELECT stage FROM tranship_exceptions WHERE job_id = ? AND seq = ? AND position = ?",
    [row.job_id, row.seq, position],
  );
  return found?.stage ?? "plan";
}
