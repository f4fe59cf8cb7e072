/** The ledger: the durable record of jobs, batches, exceptions and audit events. Every write of a runner is fenced. */

import type { Batch } from "../domain/batch.ts";
import type { ExceptionCount } from "../domain/exception-ratio.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { JobAction, JobState, Waiting } from "../domain/job-state.ts";
import type { ShareEntry } from "../domain/rates/store-shares.ts";
import type { Tally } from "../domain/tally.ts";
import type { ConsignmentLedger } from "./consignment-records.ts";
import type {
  AuditEvent,
  BatchSummary,
  ExceptionRecord,
  ExpectedObjects,
  JobRecord,
  LastPlanned,
  Lease,
  NewBatch,
  ObjectHistory,
  Page,
  RunReport,
  StageOutcome,
} from "./ledger-records.ts";

export type {
  AuditEvent,
  BatchSummary,
  ExceptionRecord,
  ExpectedObjects,
  JobRecord,
  LastPlanned,
  Lease,
  NewBatch,
  ObjectHistory,
  Page,
  RunReport,
  StageOutcome,
  StageRecord,
} from "./ledger-records.ts";

/**
 * The ledger. Every call may throw `ledger_unavailable` (may be repeated) or `ledger_lost` (permanent). Times are epoch
 * milliseconds and always given by the caller. Methods that take a {@link Lease} throw `lease_lost` and write nothing when
 * a later claim exists.
 */
export interface Ledger extends ConsignmentLedger {
  /**
   * Records a new job in `queued` with its audit event. The same `idempotencyKey` with the same spec gives the
   * first job again (`created` false), with another spec `idempotency_conflict`.
   */
  createJob(request: {
    readonly spec: JobSpec;
    readonly idempotencyKey: string | null;
    readonly actor: string;
    readonly at: number;
  }): Promise<{ readonly job: JobRecord; readonly created: boolean }>;
  /** Null when there is none. */
  job(id: string): Promise<JobRecord | null>;
  /** The job recorded under `key`; null when there is none. */
  jobByIdempotencyKey(key: string): Promise<JobRecord | null>;
  /** Newest first. */
  jobs(query: {
    readonly states: readonly JobState[] | null;
    readonly limit: number;
    readonly cursor: string | null;
  }): Promise<Page<JobRecord>>;
  /**
   * Changes the state if it still is `from` (else gives null: read the job again), and writes the audit event in the same
   * transaction. `queued` and `cancelled` clear reason and waiting; ending states set `finishedAt`.
   */
  changeState(change: {
    readonly jobId: string;
    readonly from: JobState;
    readonly to: JobState;
    readonly action: JobAction | "fail" | "settle";
    readonly actor: string;
    readonly reason: string | null;
    readonly at: number;
  }): Promise<JobRecord | null>;
  /** Records who approved the deletion; the first approval stays. */
  approve(jobId: string, actor: string, at: number): Promise<JobRecord>;
  /**
   * Replaces the spec if the job's version still is `ifVersion` (else gives null: read the job again), and writes the audit
   * event in the same transaction. An idempotency key continues to identify the job as it was submitted.
   */
  amend(change: {
    readonly jobId: string;
    readonly spec: JobSpec;
    readonly ifVersion: number;
    readonly actor: string;
    readonly detail: string;
    readonly at: number;
  }): Promise<JobRecord | null>;
  /** Lets the job work outside its windows until `until`, and writes the audit event. */
  ignoreWindows(
    jobId: string,
    until: number,
    by: { readonly actor: string; readonly at: number },
  ): Promise<JobRecord>;
  addAudit(jobId: string, event: Omit<AuditEvent, "id">): Promise<void>;

  /**
   * Claims the job if it has no valid lease (none, or one that ended before `at`) and its state is runnable: increments the
   * token and sets the lease; `queued` becomes `running` (`pausing` and `cancelling` stay, for the runner to complete).
   * Null when the job cannot be claimed.
   */
  claim(jobId: string, owner: string, at: number, leaseMs: number): Promise<Lease | null>;
  /** Extends the lease, stores the report, and gives the job as it is now (an operator may have changed it). */
  renew(lease: Lease, report: RunReport, at: number, leaseMs: number): Promise<JobRecord>;
  /**
   * Stores the request and statement counts between renewals; changes neither version nor lease. The record survives the
   * end of the process, not necessarily of the machine. Does nothing when `lease` is no longer valid.
   */
  recordSent(lease: Lease, sent: Pick<RunReport, "requests" | "statements">): Promise<void>;
  /** Ends the lease and leaves the job in `state`. */
  release(
    lease: Lease,
    end: {
      readonly state: JobState;
      readonly reason: string | null;
      readonly waiting: Waiting | null;
      readonly report: Omit<RunReport, "state" | "waiting">;
    },
    at: number,
  ): Promise<void>;

  /** Sums over all batches by one aggregate query; a runner reads it once and counts from there. */
  tally(jobId: string): Promise<Tally>;
  /** Records a planned batch; its seq follows the last one. One statement. */
  addBatch(lease: Lease, batch: NewBatch, at: number): Promise<Batch>;
  /** The cursor of the last batch, from which planning continues; null when no batch was planned. */
  lastCursor(jobId: string): Promise<string | null>;
  planFinished(lease: Lease, at: number): Promise<void>;
  /** Records the expected size of the whole inventory; a later count replaces it. */
  expectObjects(lease: Lease, expected: ExpectedObjects, at: number): Promise<void>;
  /** Records the end of a stage of a batch: one statement, and one more transaction when there are exceptions to write. */
  recordStage(lease: Lease, outcome: StageOutcome): Promise<void>;
  /**
   * Batches that are not done, with their objects, in seq order after `afterSeq`. With `updatedBefore` also those in
   * state `updated` whose grace is over (rows updated at or before it); without (null) those in `updated` are left out.
   */
  openBatches(query: {
    readonly jobId: string;
    readonly afterSeq: number;
    readonly updatedBefore: number | null;
    readonly limit: number;
  }): Promise<readonly Batch[]>;
  /** When the rows of the earliest batch in state `updated` were updated; null when there is none. */
  earliestUpdated(jobId: string): Promise<number | null>;

  batches(jobId: string, cursor: string | null, limit: number): Promise<Page<BatchSummary>>;
  exceptions(jobId: string, cursor: string | null, limit: number): Promise<Page<ExceptionRecord>>;
  /** The `limit` most frequent codes of the open exceptions recorded at `since` or later, most frequent first. */
  topExceptions(jobId: string, since: number, limit: number): Promise<readonly ExceptionCount[]>;
  audit(jobId: string, cursor: string | null, limit: number): Promise<Page<AuditEvent>>;
  /** The history of `key`; null when it was not planned. Under 1 s in a job of a million objects. */
  objectHistory(jobId: string, key: string): Promise<ObjectHistory | null>;
  /**
   * Those of `keys` that were planned in a batch before `beforeSeq` and are still accounted for there (not retried, not a
   * duplicate, and not gone before the copy). Call it for all keys of a batch at once: it scans the job's batches once,
   * independent of the number of keys.
   */
  plannedBefore(jobId: string, keys: readonly string[], beforeSeq: number): Promise<ReadonlySet<string>>;
  /** As {@link plannedBefore}, in any batch: by key, the object in the newest batch that accounts for it. */
  lastPlanned(jobId: string, keys: readonly string[]): Promise<ReadonlyMap<string, LastPlanned>>;
  /**
   * Puts up to `batchSize` open exceptions into a new batch in state `planned` (in the old batches the outcome of their
   * objects becomes skipped: `retried`, which the tally leaves out), and removes the exception rows. Gives how many; 0 at
   * the end.
   */
  replanExceptions(jobId: string, batchSize: number, at: number): Promise<number>;
  /**
   * Replaces the entries of the limit called `name` (none at first) by what `revise` returns for them, atomically: `revise`
   * is called again with newer entries when another process changed them meanwhile, or when an answer was lost. Entries
   * belong to no job, so no lease is checked. Throws `ledger_unavailable`.
   */
  reviseShares(
    name: string,
    revise: (entries: readonly ShareEntry[]) => readonly ShareEntry[],
  ): Promise<void>;
  /** The process is about to end: from now on calls wait only briefly for a busy or unreachable ledger. */
  hurry(): void;
  /** Resolves when all tables of the ledger can be read; throws `ledger_lost` when a table or the file is gone. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
