/** Consignments: batches that travel to an external copy engine together, and what the engine has noted of them. */

import { CONSIGNED, FIRST_STATE } from "../../../domain/batch.ts";
import { DomainError } from "../../../domain/errors.ts";
import type {
  ConsignmentLedger,
  ConsignmentRecord,
  ConsignmentState,
  PlannedRange,
} from "../../../ports/consignment-records.ts";
import type { Lease } from "../../../ports/ledger.ts";
import { exactNumber, exactNumberOrNull } from "../columns/exact-number.ts";
import { FENCE, fenceHolds, fenceValues, leaseLost } from "../fence.ts";
import type { LedgerSession, Sql, SqlValue } from "../ledger-session.ts";
import type { ConsignmentRow } from "../schemas/consignment-schema.ts";
import { batchOf, STORED_COLUMNS, type StoredBatch } from "./batch-reads.ts";
import type { KnownObjects } from "./known-objects.ts";

/** Batches read at once to find out how many may travel together. */
const PAGE = 1000;

/** Consignments; `known` is told of the objects of batches that a runner gets. */
export function consignmentRecords(session: LedgerSession, known: KnownObjects): ConsignmentLedger {
  return {
    async plannedRange(jobId, most) {
      let range: PlannedRange | null = null;
      for (let afterSeq = 0; ; ) {
        const page = await session.run((sql) =>
          sql.rows<{ seq: number; objects: unknown }>(
            `SELECT seq, planned - moved - skipped - exceptions AS objects FROM tranship_batches
             WHERE job_id = ? AND state = '${FIRST_STATE}' AND seq > ? ORDER BY seq LIMIT ${PAGE}`,
            [jobId, afterSeq],
          ),
        );
        for (const { seq, objects } of page) {
          const next = extended(range, seq, exactNumber(objects));
          if (range !== null && next.objects > most) return range;
          range = next;
          afterSeq = seq;
        }
        if (page.length < PAGE) return range;
      }
    },

    async openConsignment(lease, { token, range, notAfter, at }) {
      return session.transaction(async (sql) => {
        const [there] = await rowsOf(sql, lease.jobId, "AND token = ?", [token]);
        if (there !== undefined) return there;
        const [last] = await sql.rows<{ last: number | null }>(
          "SELECT MAX(id) AS last FROM tranship_consignments WHERE job_id = ?",
          [lease.jobId],
        );
        const id = Number(last?.last ?? 0) + 1;
        const inserted = await sql.change(
          `INSERT INTO tranship_consignments (job_id, id, token, state, objects, not_after, created_at)
           SELECT ?, ?, ?, 'open', ?, ?, ? FROM tranship_jobs j WHERE j.id = ? AND j.fencing_token = ?`,
          [lease.jobId, id, token, range.objects, notAfter, at, ...fenceValues(lease)],
        );
        if (inserted === 0) throw leaseLost(lease);
        await sql.change(
          `UPDATE tranship_batches SET state = '${CONSIGNED}', consignment = ?
           WHERE job_id = ? AND state = '${FIRST_STATE}' AND seq BETWEEN ? AND ? AND ${FENCE}`,
          [id, lease.jobId, range.fromSeq, range.toSeq, ...fenceValues(lease)],
        );
        const [record] = await rowsOf(sql, lease.jobId, "AND id = ?", [id]);
        if (record === undefined) throw new DomainError("internal", `Consignment ${id} was not recorded.`);
        return record;
      });
    },

    async saveProgress(lease, id, progress) {
      await changed(session, lease, "progress = ?", [progress], id);
    },

    async closeConsignment(lease, id, state, at) {
      await changed(session, lease, "state = ?, ended_at = COALESCE(ended_at, ?)", [state, at], id);
    },

    async returnBatch(lease, seq) {
      await session.run(async (sql) => {
        await sql.change(
          `UPDATE tranship_batches SET state = '${FIRST_STATE}', planned_under = 0
           WHERE job_id = ? AND seq = ? AND state = '${CONSIGNED}' AND ${FENCE}`,
          [lease.jobId, seq, ...fenceValues(lease)],
        );
        if (!(await fenceHolds(sql, lease))) throw leaseLost(lease);
      });
    },

    consignments: (jobId) => session.run((sql) => rowsOf(sql, jobId, "", [])),

    async consignedBatches({ jobId, id, state, afterSeq, limit }) {
      const rows = await session.run((sql) =>
        sql.rows<StoredBatch>(
          `SELECT ${STORED_COLUMNS} FROM tranship_batches b
           WHERE b.job_id = ? AND b.state = ? AND b.consignment = ? AND b.seq > ?
           ORDER BY b.seq LIMIT ${Math.max(0, Math.trunc(limit))}`,
          [jobId, state, id, afterSeq],
        ),
      );
      const batches = rows.map(batchOf);
      for (const { objects } of batches) known.note(objects);
      return batches;
    },
  };
}

function extended(range: PlannedRange | null, seq: number, objects: number): PlannedRange {
  return range === null
    ? { fromSeq: seq, toSeq: seq, objects }
    : { fromSeq: range.fromSeq, toSeq: seq, objects: range.objects + objects };
}

async function changed(
  session: LedgerSession,
  lease: Lease,
  set: string,
  values: readonly SqlValue[],
  id: number,
): Promise<void> {
  await session.run(async (sql) => {
    const rows = await sql.change(
      `UPDATE tranship_consignments SET ${set} WHERE job_id = ? AND id = ? AND ${FENCE}`,
      [...values, lease.jobId, id, ...fenceValues(lease)],
    );
    if (rows > 0) return;
    if (!(await fenceHolds(sql, lease))) throw leaseLost(lease);
    throw new DomainError("internal", `Job ${lease.jobId} has no consignment ${id}.`);
  });
}

async function rowsOf(
  sql: Sql,
  jobId: string,
  condition: string,
  values: readonly SqlValue[],
): Promise<ConsignmentRecord[]> {
  const rows = await sql.rows<ConsignmentRow>(
    `SELECT * FROM tranship_consignments WHERE job_id = ? ${condition} ORDER BY id`,
    [jobId, ...values],
  );
  return rows.map((row) => ({
    jobId: row.job_id,
    id: row.id,
    token: row.token,
    state: row.state as ConsignmentState,
    objects: row.objects,
    notAfter: exactNumberOrNull(row.not_after),
    progress: row.progress,
    createdAt: exactNumber(row.created_at),
    endedAt: exactNumberOrNull(row.ended_at),
  }));
}
