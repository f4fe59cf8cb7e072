/** The ledger on a SQL database; what each method does is in the file of its records. */

import type { Batch } from "../../domain/batch.ts";
import type { ExceptionCount } from "../../domain/exception-ratio.ts";
import type { Tally } from "../../domain/tally.ts";
import type {
  AuditEvent,
  BatchSummary,
  ExceptionRecord,
  ExpectedObjects,
  JobRecord,
  LastPlanned,
  Lease,
  Ledger,
  NewBatch,
  ObjectHistory,
  Page,
  RunReport,
  StageOutcome,
} from "../../ports/ledger.ts";
import { batchPage, earliestUpdated, lastCursor, openBatches, tally } from "./batches/batch-reads.ts";
import { exceptionPage, topExceptions } from "./batches/exception-records.ts";
import { KnownObjects } from "./batches/known-objects.ts";
import { objectHistory } from "./batches/object-lookup.ts";
import { BatchPlanner } from "./batches/plan-records.ts";
import { lastPlanned, plannedBefore } from "./batches/planned-before.ts";
import { replanExceptions } from "./batches/retry-records.ts";
import { recordStage } from "./batches/stage-records.ts";
import { auditPage, insertAudit } from "./jobs/audit-records.ts";
import { jobIds } from "./jobs/job-ids.ts";
import { createJob, findJob, findJobByIdempotencyKey, jobPage } from "./jobs/job-records.ts";
import { claim, expectObjects, planFinished, recordSent, release, renew } from "./jobs/lease-records.ts";
import { amend, approve, changeState, ignoreWindows } from "./jobs/operator-records.ts";
import { reviseShares } from "./jobs/share-records.ts";
import type { LedgerSession } from "./ledger-session.ts";

/** Reads no row, and fails where a table is gone. */
const ONE_OF_EACH = [
  "(SELECT COUNT(*) FROM tranship_jobs WHERE id = '') AS jobs",
  ...["batches", "exceptions", "audit_events"].map(
    (name) => `(SELECT COUNT(*) FROM tranship_${name} WHERE job_id = '') AS ${name}`,
  ),
  "(SELECT COUNT(*) FROM tranship_store_shares WHERE name = '') AS shares",
];

export class TypeormLedger implements Ledger {
  readonly #session: LedgerSession;
  readonly #newId = jobIds();
  /** One for each job that this process plans; a new claim replaces it. */
  readonly #planners = new Map<string, BatchPlanner>();
  readonly #known = new KnownObjects();
  readonly #closed: () => void;

  /** `closed` is called when the last connection is closed. */
  constructor(session: LedgerSession, closed: () => void) {
    this.#session = session;
    this.#closed = closed;
  }

  createJob(request: Parameters<Ledger["createJob"]>[0]): ReturnType<Ledger["createJob"]> {
    return createJob(this.#session, this.#newId, request);
  }

  job(id: string): Promise<JobRecord | null> {
    return this.#session.run((sql) => findJob(this.#session, sql, id));
  }

  jobByIdempotencyKey(key: string): Promise<JobRecord | null> {
    return findJobByIdempotencyKey(this.#session, key);
  }

  async jobs(query: Parameters<Ledger["jobs"]>[0]): Promise<Page<JobRecord>> {
    return jobPage(this.#session, query);
  }

  changeState(change: Parameters<Ledger["changeState"]>[0]): Promise<JobRecord | null> {
    return changeState(this.#session, change);
  }

  approve(jobId: string, actor: string, at: number): Promise<JobRecord> {
    return approve(this.#session, jobId, actor, at);
  }

  amend(change: Parameters<Ledger["amend"]>[0]): Promise<JobRecord | null> {
    return amend(this.#session, change);
  }

  ignoreWindows(
    jobId: string,
    until: number,
    by: { readonly actor: string; readonly at: number },
  ): Promise<JobRecord> {
    return ignoreWindows(this.#session, jobId, until, by);
  }

  /** When the answer is lost, the event may be written twice; never not at all. */
  addAudit(jobId: string, event: Omit<AuditEvent, "id">): Promise<void> {
    return this.#session.run((sql) => insertAudit(sql, jobId, event));
  }

  claim(jobId: string, owner: string, at: number, leaseMs: number): Promise<Lease | null> {
    return claim(this.#session, jobId, owner, at, leaseMs);
  }

  renew(lease: Lease, report: RunReport, at: number, leaseMs: number): Promise<JobRecord> {
    return renew(this.#session, lease, report, at, leaseMs);
  }

  recordSent(lease: Lease, sent: Pick<RunReport, "requests" | "statements">): Promise<void> {
    return recordSent(this.#session, lease, sent);
  }

  async release(lease: Lease, end: Parameters<Ledger["release"]>[1], at: number): Promise<void> {
    await release(this.#session, lease, end, at);
    if (this.#planners.get(lease.jobId)?.lease.token === lease.token) this.#planners.delete(lease.jobId);
  }

  tally(jobId: string): Promise<Tally> {
    return tally(this.#session, jobId);
  }

  async addBatch(lease: Lease, batch: NewBatch, at: number): Promise<Batch> {
    const known = this.#planners.get(lease.jobId);
    const planner = known?.lease.token === lease.token ? known : new BatchPlanner(this.#session, lease);
    // An old lease, which the fence will refuse, must not make the new one's planner forget what it knows.
    if ((known?.lease.token ?? 0) < lease.token) this.#planners.set(lease.jobId, planner);
    const added = await planner.add(batch, at);
    this.#known.note(added.objects);
    return added;
  }

  lastCursor(jobId: string): Promise<string | null> {
    return lastCursor(this.#session, jobId);
  }

  planFinished(lease: Lease, at: number): Promise<void> {
    return planFinished(this.#session, lease, at);
  }

  expectObjects(lease: Lease, expected: ExpectedObjects, at: number): Promise<void> {
    return expectObjects(this.#session, lease, expected, at);
  }

  recordStage(lease: Lease, outcome: StageOutcome): Promise<void> {
    return recordStage(this.#session, this.#known, lease, outcome);
  }

  async openBatches(query: Parameters<Ledger["openBatches"]>[0]): Promise<readonly Batch[]> {
    const batches = await openBatches(this.#session, query);
    for (const { objects } of batches) this.#known.note(objects);
    return batches;
  }

  earliestUpdated(jobId: string): Promise<number | null> {
    return earliestUpdated(this.#session, jobId);
  }

  batches(jobId: string, cursor: string | null, limit: number): Promise<Page<BatchSummary>> {
    return batchPage(this.#session, jobId, cursor, limit);
  }

  exceptions(jobId: string, cursor: string | null, limit: number): Promise<Page<ExceptionRecord>> {
    return exceptionPage(this.#session, jobId, cursor, limit);
  }

  topExceptions(jobId: string, since: number, limit: number): Promise<readonly ExceptionCount[]> {
    return topExceptions(this.#session, jobId, since, limit);
  }

  audit(jobId: string, cursor: string | null, limit: number): Promise<Page<AuditEvent>> {
    return auditPage(this.#session, jobId, cursor, limit);
  }

  objectHistory(jobId: string, key: string): Promise<ObjectHistory | null> {
    return objectHistory(this.#session, jobId, key);
  }

  plannedBefore(jobId: string, keys: readonly string[], beforeSeq: number): Promise<ReadonlySet<string>> {
    return plannedBefore(this.#session, jobId, keys, beforeSeq);
  }

  lastPlanned(jobId: string, keys: readonly string[]): Promise<ReadonlyMap<string, LastPlanned>> {
    return lastPlanned(this.#session, jobId, keys, Number.MAX_SAFE_INTEGER);
  }

  replanExceptions(jobId: string, batchSize: number, at: number): Promise<number> {
    return replanExceptions(this.#session, jobId, batchSize, at);
  }

  reviseShares(name: string, revise: Parameters<Ledger["reviseShares"]>[1]): Promise<void> {
    return reviseShares(this.#session, name, revise);
  }

  hurry(): void {
    this.#session.hurry();
  }

  async ping(): Promise<void> {
    await this.#session.run((sql) => sql.rows(`SELECT ${ONE_OF_EACH.join(", ")}`, []));
  }

  async close(): Promise<void> {
    await this.#session.close();
    this.#closed();
  }
}
