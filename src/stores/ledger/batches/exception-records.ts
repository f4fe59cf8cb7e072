/** Exceptions: one row for each object that could not go through and was not taken up again. */

import { MoreThan } from "typeorm";
import type { BatchObject, ExceptionCode, Stage } from "../../../domain/batch.ts";
import type { Ledger } from "../../../ports/ledger.ts";
import type { LedgerSession, Sql, SqlValue } from "../ledger-session.ts";
import { pageOf, readCursor } from "../page-cursor.ts";

/** Rows of one INSERT: SQLite takes at most 32,766 values in a statement. */
const ROWS_PER_INSERT = 500;

/** Where and when the objects of a batch failed. */
export interface ExceptionPlace {
  readonly jobId: string;
  readonly seq: number;
  readonly stage: Stage;
  readonly at: number;
}

/** An object with an exception, and its index in its batch. */
export interface FailedObject {
  readonly position: number;
  readonly object: BatchObject;
}

/** Those of a whole batch: few or none, so that no list is made for each of the others. */
export function exceptionsIn(objects: readonly BatchObject[]): FailedObject[] {
  const found: FailedObject[] = [];
  for (const [position, object] of objects.entries()) {
    if (object.outcome.kind === "exception") found.push({ position, object });
  }
  return found;
}

/** Writes a row for each of `objects` that has none yet. */
export async function insertExceptions(
  session: LedgerSession,
  sql: Sql,
  place: ExceptionPlace,
  objects: readonly FailedObject[],
): Promise<void> {
  const rows = objects.flatMap(({ position, object }) => exceptionValues(place, position, object));
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    const part = rows.slice(start, start + ROWS_PER_INSERT);
    await sql.change(
      `INSERT INTO tranship_exceptions (job_id, seq, position, object_key, stage, code, message, happened_at)
       VALUES ${part.map(() => "(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")} ${session.orKeep("seq")}`,
      part.flat(),
    );
  }
}

function exceptionValues(place: ExceptionPlace, position: number, object: BatchObject): SqlValue[][] {
  const { outcome } = object;
  if (outcome.kind !== "exception") return [];
  const key = Buffer.from(object.key, "utf8");
  return [[place.jobId, place.seq, position, key, place.stage, outcome.code, outcome.message, place.at]];
}

/** The exceptions of jobs, as viewers read them. */
export function exceptionRecords(session: LedgerSession): Pick<Ledger, "exceptions" | "topExceptions"> {
  return {
    /** In the order they were recorded. */
    async exceptions(jobId, cursor, limit) {
      const after = Number(readCursor("exceptions", cursor) ?? 0);
      const rows = await session.run(({ manager }) =>
        manager.find(session.tables.exceptions, {
          where: { job_id: jobId, id: MoreThan(after) },
          order: { id: "ASC" },
          take: limit + 1,
        }),
      );
      return pageOf("exceptions", rows, limit, {
        position: (row) => row.id,
        item: (row) => ({
          id: row.id,
          batch: row.seq,
          key: row.object_key.toString("utf8"),
          stage: row.stage as Stage,
          code: row.code as ExceptionCode,
          message: row.message,
          at: row.happened_at,
        }),
      });
    },

    /** The most frequent codes among those recorded at `since` or later; of equally frequent ones the first by name. */
    async topExceptions(jobId, since, limit) {
      const rows = await session.run((sql) =>
        sql.rows<{ code: string; amount: number | string }>(
          `SELECT code, COUNT(*) AS amount FROM tranship_exceptions WHERE job_id = ? AND happened_at >= ?
           GROUP BY code ORDER BY amount DESC, code LIMIT ${Math.trunc(limit)}`,
          [jobId, since],
        ),
      );
      return rows.map(({ code, amount }) => ({ code: code as ExceptionCode, count: Number(amount) }));
    },
  };
}
