/** What runners do to jobs: claim them, report while they hold them, and let go. */

import { isFinished, isRunnable, JOB_STATES, type JobState } from "../../../domain/job-state.ts";
import type { Lease, Ledger } from "../../../ports/ledger.ts";
import { fenceHolds, fenceValues, leaseLost } from "../fence.ts";
import type { LedgerSession, Sql } from "../ledger-session.ts";
import { insertAudit } from "./audit-records.ts";
import { findJob } from "./job-records.ts";

const listed = (states: readonly JobState[]): string => states.map((state) => `'${state}'`).join(", ");
const RUNNABLE = listed(JOB_STATES.filter(isRunnable));

/** What runners do to a job while they hold its lease. */
export function leaseRecords(
  session: LedgerSession,
): Pick<Ledger, "claim" | "renew" | "recordSent" | "release" | "planFinished" | "expectObjects"> {
  return {
    /** Takes the job if it is runnable and not leased; of several claims at once the conditional UPDATE succeeds for one. */
    async claim(jobId, owner, at, leaseMs) {
      return session.transaction(async (sql, { mayBeDone }) => {
        const changed = await sql.change(
          `UPDATE tranship_jobs
           SET fencing_token = fencing_token + 1, lease_owner = ?, lease_until = ?,
             state = CASE WHEN state = 'queued' THEN 'running' ELSE state END,
             started_at = COALESCE(started_at, ?), updated_at = ?, version = version + 1
           WHERE id = ? AND state IN (${RUNNABLE}) AND (lease_until IS NULL OR lease_until <= ?)`,
          [owner, at + leaseMs, at, at, jobId, at],
        );
        if (changed === 0) return mayBeDone ? ownClaim(session, sql, jobId, owner, at + leaseMs) : null;
        const token = (await findJob(session, sql, jobId))?.fencingToken ?? 0;
        await insertAudit(sql, jobId, { at, actor: owner, action: "claim", detail: `token ${token}` });
        return { jobId, owner, token };
      });
    },

    /**
     * Prolongs the lease and stores the report. The state follows the report only while it is `running` or `waiting`:
     * what an operator asked for meanwhile stays. Only a change an operator can see raises the version.
     */
    async renew(lease, report, at, leaseMs) {
      const waiting = report.waiting === null ? null : JSON.stringify(report.waiting);
      return session.run(async (sql) => {
        // MariaDB assigns from left to right: the version must look at state and waiting before they change.
        const changed = await sql.change(
          `UPDATE tranship_jobs
           SET version = version + CASE WHEN ${WORKED_ON}
               AND (state <> ? OR COALESCE(waiting, '') <> ?) THEN 1 ELSE 0 END,
             waiting = CASE WHEN ${WORKED_ON} THEN ? ELSE waiting END,
             state = CASE WHEN ${WORKED_ON} THEN ? ELSE state END,
             lease_until = ?, requests = ?, statements = ?, active_ms = ?, clock_lag_ms = ?, updated_at = ?
           WHERE id = ? AND fencing_token = ? AND lease_owner IS NOT NULL`,
          [
            ...[report.state, waiting ?? "", waiting, report.state, at + leaseMs],
            ...[JSON.stringify(report.requests), JSON.stringify(report.statements)],
            ...[report.activeMs, report.clockLagMs, at],
            ...fenceValues(lease),
          ],
        );
        const job = changed === 0 ? null : await findJob(session, sql, lease.jobId);
        // A claim may have come between the two statements; its job is not ours to show.
        if (job === null || job.fencingToken !== lease.token) throw leaseLost(lease);
        return job;
      });
    },

    /** Stores what was sent so far. Many times a second: nothing waits for the disk. */
    async recordSent(lease, { requests, statements }) {
      const values = [JSON.stringify(requests), JSON.stringify(statements), ...fenceValues(lease)];
      await session.unsynced(async (sql) => {
        await sql.change(
          `UPDATE tranship_jobs SET requests = ?, statements = ?
           WHERE id = ? AND fencing_token = ? AND lease_owner IS NOT NULL`,
          values,
        );
      });
    },

    /** Ends the lease and leaves the job in `end.state`, see {@link askedStatesThatStay}. */
    async release(lease, end, at) {
      const asked = askedStatesThatStay(end.state);
      const unlessAsked = (column: string): string =>
        asked.length === 0 ? "?" : `CASE WHEN state IN (${listed(asked)}) THEN ${column} ELSE ? END`;
      const { requests, statements, activeMs, clockLagMs } = end.report;
      await session.run(async (sql) => {
        const changed = await sql.change(
          // From left to right again: the state is the last that may change of what is looked at.
          `UPDATE tranship_jobs
           SET reason = ${unlessAsked("reason")}, waiting = ${unlessAsked("waiting")},
             finished_at = ${unlessAsked("finished_at")}, state = ${unlessAsked("state")},
             lease_owner = NULL, lease_until = NULL, requests = ?, statements = ?, active_ms = ?,
             clock_lag_ms = ?, updated_at = ?, version = version + 1
           WHERE id = ? AND fencing_token = ? AND lease_owner IS NOT NULL`,
          [
            ...[end.reason, end.waiting === null ? null : JSON.stringify(end.waiting)],
            ...[isFinished(end.state) ? at : null, end.state],
            ...[JSON.stringify(requests), JSON.stringify(statements), activeMs, clockLagMs],
            ...[at, ...fenceValues(lease)],
          ],
        );
        // Released before, by this call or an earlier one, is as good.
        if (changed === 0 && !(await fenceHolds(sql, lease))) throw leaseLost(lease);
      });
    },

    async planFinished(lease, at) {
      await session.run(async (sql) => {
        const changed = await sql.change(
          `UPDATE tranship_jobs
           SET version = version + CASE WHEN plan_done_at IS NULL THEN 1 ELSE 0 END,
             updated_at = CASE WHEN plan_done_at IS NULL THEN ? ELSE updated_at END,
             plan_done_at = COALESCE(plan_done_at, ?)
           WHERE id = ? AND fencing_token = ?`,
          [at, at, ...fenceValues(lease)],
        );
        if (changed === 0) throw leaseLost(lease);
      });
    },

    async expectObjects(lease, expected, at) {
      await session.run(async (sql) => {
        const changed = await sql.change(
          `UPDATE tranship_jobs SET expected = ?, updated_at = ?, version = version + 1
           WHERE id = ? AND fencing_token = ?`,
          [JSON.stringify(expected), at, ...fenceValues(lease)],
        );
        if (changed === 0) throw leaseLost(lease);
      });
    },
  };
}

/** The claim whose answer was lost: without it the job would lie still until its lease ends. */
async function ownClaim(
  session: LedgerSession,
  sql: Sql,
  jobId: string,
  owner: string,
  until: number,
): Promise<Lease | null> {
  const job = await findJob(session, sql, jobId);
  const isOurs = job?.leaseOwner === owner && job.leaseUntil === until;
  return isOurs ? { jobId, owner, token: job.fencingToken } : null;
}

/** `queued` under a live lease: paused and resumed before the runner took notice, so it is worked on all the same. */
const WORKED_ON = "state IN ('running', 'waiting', 'queued')";

/**
 * What an operator asked for, seen too late by the runner, outlives its release:
 *
 * | released as               | asked for meanwhile                       | stays      |
 * |---------------------------|-------------------------------------------|------------|
 * | finished                  | anything                                  | released   |
 * | paused, pausing           | resume (`queued`), cancel                 | asked for  |
 * | cancelling                | cancel                                    | released   |
 * | queued, running, waiting  | pause, cancel                             | asked for  |
 */
function askedStatesThatStay(released: JobState): readonly JobState[] {
  if (isFinished(released)) return [];
  if (released === "cancelling") return ["cancelled"];
  const ended = ["cancelling", "cancelled"] as const;
  return released === "paused" || released === "pausing"
    ? ["queued", ...ended]
    : ["pausing", "paused", ...ended];
}
