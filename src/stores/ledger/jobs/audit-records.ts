/** Audit events: who did what to a job. */

import { MoreThan } from "typeorm";
import type { AuditEvent, Ledger } from "../../../ports/ledger.ts";
import type { LedgerSession, Sql } from "../ledger-session.ts";
import { pageOf, readCursor } from "../page-cursor.ts";

/** Writes an event, in the transaction that `sql` is in, if any. */
export async function insertAudit(sql: Sql, jobId: string, event: Omit<AuditEvent, "id">): Promise<void> {
  await sql.change(
    `INSERT INTO tranship_audit_events (job_id, happened_at, actor, action, detail) VALUES (?, ?, ?, ?, ?)`,
    [jobId, event.at, event.actor, event.action, event.detail],
  );
}

/** The audit events of jobs. */
export function auditRecords(session: LedgerSession): Pick<Ledger, "addAudit" | "audit"> {
  return {
    /** When the answer is lost, the event may be written twice; never not at all. */
    addAudit: (jobId, event) => session.run((sql) => insertAudit(sql, jobId, event)),

    async audit(jobId, cursor, limit) {
      const after = Number(readCursor("audit", cursor) ?? 0);
      const rows = await session.run(({ manager }) =>
        manager.find(session.tables.auditEvents, {
          where: { job_id: jobId, id: MoreThan(after) },
          order: { id: "ASC" },
          take: limit + 1,
        }),
      );
      return pageOf("audit", rows, limit, {
        position: (row) => row.id,
        item: (row) => ({
          id: row.id,
          at: row.happened_at,
          actor: row.actor,
          action: row.action,
          detail: row.detail,
        }),
      });
    },
  };
}
