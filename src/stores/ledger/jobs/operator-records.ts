/** What operators change of a job: its state, its approval, its live settings. Each with its audit event. */

import { canonicalJson } from "../../../domain/canonical-json.ts";
import { DomainError } from "../../../domain/errors.ts";
import { isFinished, type JobState } from "../../../domain/job-state.ts";
import type { Ledger } from "../../../ports/ledger.ts";
import type { LedgerSession } from "../ledger-session.ts";
import { insertAudit } from "./audit-records.ts";
import { findJob } from "./job-records.ts";

/** States in which a job waits for nothing and has no reason left over from before. */
function startsAfresh(state: JobState): boolean {
  return state === "queued" || state === "cancelled";
}

/** What operators change of a job, each with its audit event. */
export function operatorRecords(
  session: LedgerSession,
): Pick<Ledger, "changeState" | "approve" | "amend" | "ignoreWindows"> {
  return {
    async changeState(change) {
      const { jobId, from, to, at } = change;
      const keepsWaiting = !(startsAfresh(to) || isFinished(to) || to === "paused");
      return session.transaction(async (sql) => {
        const changed = await sql.change(
          `UPDATE tranship_jobs
           SET state = ?, reason = ?, ${keepsWaiting ? "" : "waiting = NULL,"} finished_at = ?, updated_at = ?,
             version = version + 1
           WHERE id = ? AND state = ?`,
          [to, startsAfresh(to) ? null : change.reason, isFinished(to) ? at : null, at, jobId, from],
        );
        if (changed === 0) return null;
        await insertAudit(sql, jobId, {
          at,
          actor: change.actor,
          action: change.action,
          detail: change.reason ?? `${from} to ${to}`,
        });
        return findJob(session, sql, jobId);
      });
    },

    async approve(jobId, actor, at) {
      const job = await session.transaction(async (sql) => {
        const changed = await sql.change(
          `UPDATE tranship_jobs SET approved_by = ?, approved_at = ?, updated_at = ?, version = version + 1
           WHERE id = ? AND approved_at IS NULL`,
          [actor, at, at, jobId],
        );
        if (changed > 0) await insertAudit(sql, jobId, { at, actor, action: "approve", detail: "deletion" });
        return findJob(session, sql, jobId);
      });
      if (job === null) throw new DomainError("not_found", `There is no job ${jobId}.`);
      return job;
    },

    async amend({ jobId, spec, ifVersion, actor, detail, at }) {
      return session.transaction(async (sql) => {
        // The digest stays: a repeated submission is the job that was submitted, whatever became of it since.
        const changed = await sql.change(
          `UPDATE tranship_jobs SET spec = ?, updated_at = ?, version = version + 1 WHERE id = ? AND version = ?`,
          [canonicalJson(spec), at, jobId, ifVersion],
        );
        if (changed === 0) return null;
        await insertAudit(sql, jobId, { at, actor, action: "amend", detail });
        return findJob(session, sql, jobId);
      });
    },

    async ignoreWindows(jobId, until, { actor, at }) {
      const job = await session.transaction(async (sql) => {
        const changed = await sql.change(
          `UPDATE tranship_jobs SET windows_ignored_until = ?, updated_at = ?, version = version + 1 WHERE id = ?`,
          [until, at, jobId],
        );
        const detail = `until ${new Date(until).toISOString()}`;
        if (changed > 0) await insertAudit(sql, jobId, { at, actor, action: "ignore_windows", detail });
        return findJob(session, sql, jobId);
      });
      if (job === null) throw new DomainError("not_found", `There is no job ${jobId}.`);
      return job;
    },
  };
}
