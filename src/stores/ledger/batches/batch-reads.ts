/** Batches as runners and viewers read them: open ones with their objects, summaries, sums. */

import { MoreThan } from "typeorm";
import { type Batch, type BatchState, OPEN_STATES, stateBefore } from "../../../domain/batch.ts";
import type { Tally } from "../../../domain/tally.ts";
import type { BatchSummary, Ledger, StageRecord } from "../../../ports/ledger.ts";
import { exactNumber, exactNumberOrNull } from "../columns/exact-number.ts";
import type { LedgerSession } from "../ledger-session.ts";
import { pageOf, readCursor } from "../page-cursor.ts";
import type { BatchRow } from "../schemas/batch-schema.ts";
import { decodeObjects } from "./batch-encoding.ts";
import type { KnownObjects } from "./known-objects.ts";
import { withOutcomes } from "./outcome-encoding.ts";

/** What a batch needs to go on; the rest of its row stays where it is. */
export type StoredBatch = Pick<
  BatchRow,
  "job_id" | "seq" | "state" | "planned_under" | "update_ended_at" | "outcomes" | "objects"
> & { readonly is_retry: unknown };

export const STORED_COLUMNS =
  "b.job_id, b.seq, b.state, b.planned_under, b.update_ended_at, b.plan_cursor IS NULL AS is_retry, b.outcomes, b.objects";

/** A row with its objects taken apart. */
export function batchOf(row: StoredBatch): Batch {
  return {
    jobId: row.job_id,
    seq: row.seq,
    state: row.state as BatchState,
    objects: withOutcomes(decodeObjects(row.objects), row.outcomes),
    // Only batches of the inventory have a place in it.
    ...(Number(row.is_retry) === 1 ? { isRetry: true } : {}),
    plannedUnder: row.planned_under,
    updatedAt: exactNumberOrNull(row.update_ended_at),
  };
}

/** The state in which a batch waits for the end of its grace period. */
const BEFORE_DELETION = stateBefore("delete");

/** Batches as runners and viewers read them; `known` is told of those that a runner gets. */
export function batchReads(
  session: LedgerSession,
  known: KnownObjects,
): Pick<Ledger, "openBatches" | "earliestUpdated" | "tally" | "lastCursor" | "batches"> {
  return {
    /**
     * The numbers come from the index of states alone, however many batches are done: `+ 0`
     * keeps the databases from walking all batches in the order of their numbers instead, and so does CROSS JOIN in SQLite
     * (it takes the tables in this order). Blobs are read for those returned only.
     */
    async openBatches(query) {
      const { jobId, afterSeq, updatedBefore, limit } = query;
      const inState = (condition: string): string =>
        `SELECT seq + 0 AS seq FROM tranship_batches WHERE job_id = ? AND state = ${condition}`;
      const open = OPEN_STATES.filter((state) => state !== BEFORE_DELETION).map((state) =>
        inState(`'${state}'`),
      );
      const due = updatedBefore === null ? [] : [inState(`'${BEFORE_DELETION}' AND update_ended_at <= ?`)];
      const rows = await session.run((sql) =>
        sql.rows<StoredBatch>(
          `SELECT ${STORED_COLUMNS}
           FROM (
             SELECT seq FROM (${[...open, ...due].join(" UNION ALL ")}) in_state
             WHERE seq > ? ORDER BY seq LIMIT ${Math.max(0, Math.trunc(limit))}
           ) open_batch
           CROSS JOIN tranship_batches b ON b.job_id = ? AND b.seq = open_batch.seq
           ORDER BY open_batch.seq`,
          [
            ...open.map(() => jobId),
            ...(updatedBefore === null ? [] : [jobId, updatedBefore]),
            ...[afterSeq, jobId],
          ],
        ),
      );
      const batches = rows.map(batchOf);
      for (const { objects } of batches) known.note(objects);
      return batches;
    },

    async earliestUpdated(jobId) {
      const [row] = await session.run((sql) =>
        sql.rows<{ earliest: unknown }>(
          `SELECT MIN(update_ended_at) AS earliest FROM tranship_batches WHERE job_id = ? AND state = '${BEFORE_DELETION}'`,
          [jobId],
        ),
      );
      return exactNumberOrNull(row?.earliest);
    },

    async tally(jobId) {
      const sums = Object.entries(TALLY_COLUMNS).map(
        ([name, column]) => `COALESCE(SUM(${column}), 0) AS ${name}`,
      );
      const [row] = await session.run((sql) =>
        sql.rows<Record<string, unknown>>(
          `SELECT ${sums.join(", ")} FROM tranship_batches WHERE job_id = ?`,
          [jobId],
        ),
      );
      const sum = (name: keyof Tally): number => exactNumber(row?.[name] ?? 0);
      return {
        planned: sum("planned"),
        copied: sum("copied"),
        verified: sum("verified"),
        updated: sum("updated"),
        moved: sum("moved"),
        skipped: sum("skipped"),
        exceptions: sum("exceptions"),
        rowsUpdated: sum("rowsUpdated"),
        bytes: sum("bytes"),
        bytesCopied: sum("bytesCopied"),
      };
    },

    async lastCursor(jobId) {
      // Batches of retried objects have no cursor: they are not part of the inventory's order.
      const [row] = await session.run((sql) =>
        sql.rows<{ plan_cursor: string }>(
          `SELECT plan_cursor FROM tranship_batches
           WHERE job_id = ? AND plan_cursor IS NOT NULL ORDER BY seq DESC LIMIT 1`,
          [jobId],
        ),
      );
      return row === undefined ? null : (JSON.parse(row.plan_cursor) as string);
    },

    async batches(jobId, cursor, limit) {
      const after = Number(readCursor("batches", cursor) ?? 0);
      const rows = await session.run(({ manager }) =>
        manager.find(session.tables.batches, {
          // The last three are the big ones, and not shown.
          select: Object.fromEntries(
            Object.keys(session.tables.batches.options.columns)
              .filter((column) => !["objects", "fingerprints", "outcomes", "plan_cursor"].includes(column))
              .map((column) => [column, true]),
          ),
          where: { job_id: jobId, seq: MoreThan(after) },
          order: { seq: "ASC" },
          take: limit + 1,
        }),
      );
      return pageOf("batches", rows, limit, { position: (row) => row.seq, item: summaryOf });
    },
  };
}

/** The column that sums up to each number of a tally. */
const TALLY_COLUMNS: Readonly<Record<keyof Tally, string>> = {
  planned: "planned",
  copied: "copied",
  verified: "verified",
  updated: "updated",
  moved: "moved",
  skipped: "skipped",
  exceptions: "exceptions",
  rowsUpdated: "rows_updated",
  bytes: "bytes",
  bytesCopied: "bytes_copied",
};

function summaryOf(row: BatchRow): BatchSummary {
  const stage = (name: "copy" | "verify" | "update" | "delete"): StageRecord => ({
    startedAt: row[`${name}_started_at`],
    endedAt: row[`${name}_ended_at`],
    attempts: row[`${name}_attempts`],
  });
  return {
    seq: row.seq,
    state: row.state as BatchState,
    planned: row.planned,
    moved: row.moved,
    skipped: row.skipped,
    exceptions: row.exceptions,
    bytes: row.bytes,
    rowsUpdated: row.rows_updated,
    firstKey: row.first_key.toString("utf8"),
    lastKey: row.last_key.toString("utf8"),
    worker: row.worker,
    plannedAt: row.planned_at,
    copy: stage("copy"),
    verify: stage("verify"),
    update: stage("update"),
    delete: stage("delete"),
  };
}
