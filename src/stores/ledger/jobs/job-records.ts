/** Jobs: recorded, read, listed and changed by operators. What runners do to them is in lease-records.ts. */

import { In, LessThan } from "typeorm";
import { canonicalJson } from "../../../domain/canonical-json.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { JobSpec } from "../../../domain/job-spec.ts";
import type { JobState, Waiting } from "../../../domain/job-state.ts";
import type { ExpectedObjects, JobRecord, Ledger } from "../../../ports/ledger.ts";
import { noRequests, type RequestCounts } from "../../../ports/object-store.ts";
import { digestOf } from "../batches/digest.ts";
import { isDuplicate } from "../ledger-errors.ts";
import type { LedgerSession, Sql } from "../ledger-session.ts";
import { pageOf, readCursor } from "../page-cursor.ts";
import type { JobRow } from "../schemas/job-schema.ts";
import { insertAudit } from "./audit-records.ts";
import { jobIds } from "./job-ids.ts";

type Request<Method extends keyof Ledger> = Ledger[Method] extends (request: infer R) => unknown ? R : never;

/** Jobs as they are submitted, and read. */
export function jobRecords(
  session: LedgerSession,
): Pick<Ledger, "createJob" | "job" | "jobByIdempotencyKey" | "jobs"> {
  const newId = jobIds();
  return {
    /** Records a job and its `submit` event, or finds the one that `idempotencyKey` recorded before. */
    async createJob(request) {
      const row = newJobRow(newId(request.at), request);
      try {
        await session.transaction(async (sql) => {
          await sql.manager.insert(session.tables.jobs, row);
          await insertAudit(sql, row.id, {
            at: request.at,
            actor: request.actor,
            action: "submit",
            detail: row.name,
          });
        });
        return { job: recordOf(row), created: true };
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        return await earlierJob(session, row);
      }
    },

    job: (id) => session.run((sql) => findJob(session, sql, id)),

    async jobByIdempotencyKey(key) {
      const found = { idempotency_digest: digestOf(key) };
      const row = await session.run(({ manager }) => manager.findOneBy(session.tables.jobs, found));
      return row === null ? null : recordOf(row);
    },

    async jobs(query) {
      const before = readCursor("jobs", query.cursor);
      const rows = await session.run(({ manager }) =>
        manager.find(session.tables.jobs, {
          where: {
            ...(before === null ? {} : { id: LessThan(before) }),
            ...(query.states === null ? {} : { state: In([...query.states]) }),
          },
          order: { id: "DESC" },
          take: query.limit + 1,
        }),
      );
      return pageOf("jobs", rows, query.limit, { position: (row) => row.id, item: recordOf });
    },
  };
}

/** The job that stands in the way of `row`: its own first attempt, whose answer was lost, or an earlier request. */
async function earlierJob(
  session: LedgerSession,
  row: JobRow,
): Promise<{ job: JobRecord; created: boolean }> {
  const found = await session.run(({ manager }) =>
    manager.findOne(session.tables.jobs, {
      where: [
        { id: row.id },
        ...(row.idempotency_digest === null ? [] : [{ idempotency_digest: row.idempotency_digest }]),
      ],
    }),
  );
  if (found?.spec_digest !== row.spec_digest) {
    throw new DomainError(
      "idempotency_conflict",
      "The same Idempotency-Key was used before with another job.",
      { details: { jobId: found?.id ?? null } },
    );
  }
  return { job: recordOf(found), created: found.id === row.id };
}

function newJobRow(id: string, { spec, idempotencyKey, at }: Request<"createJob">): JobRow {
  const specText = canonicalJson(spec);
  return {
    id,
    name: spec.name,
    spec: specText,
    spec_digest: digestOf(specText),
    // The digest, because text columns hold two keys equal that differ in trailing spaces.
    idempotency_digest: idempotencyKey === null ? null : digestOf(idempotencyKey),
    state: "queued",
    waiting: null,
    reason: null,
    plan_done_at: null,
    version: 1,
    fencing_token: 0,
    lease_owner: null,
    lease_until: null,
    requests: JSON.stringify(noRequests()),
    statements: "{}",
    active_ms: 0,
    approved_by: null,
    approved_at: null,
    created_at: at,
    updated_at: at,
    started_at: null,
    finished_at: null,
    windows_ignored_until: null,
    expected: null,
    clock_lag_ms: null,
  };
}

/** The job, or null. */
export async function findJob(session: LedgerSession, sql: Sql, id: string): Promise<JobRecord | null> {
  const row = await sql.manager.findOneBy(session.tables.jobs, { id });
  return row === null ? null : recordOf(row);
}

function recordOf(row: JobRow): JobRecord {
  return {
    id: row.id,
    name: row.name,
    spec: JSON.parse(row.spec) as JobSpec,
    state: row.state as JobState,
    waiting: row.waiting === null ? null : (JSON.parse(row.waiting) as Waiting),
    reason: row.reason,
    planDone: row.plan_done_at !== null,
    version: row.version,
    fencingToken: row.fencing_token,
    leaseOwner: row.lease_owner,
    leaseUntil: row.lease_until,
    requests: JSON.parse(row.requests) as RequestCounts,
    statements: JSON.parse(row.statements) as Record<string, number>,
    activeMs: row.active_ms,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    windowsIgnoredUntil: row.windows_ignored_until,
    clockLagMs: row.clock_lag_ms ?? 0,
    expected: row.expected === null ? null : (JSON.parse(row.expected) as ExpectedObjects),
  };
}
