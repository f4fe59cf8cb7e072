/** The ledger: the durable record of jobs, batches, exceptions and audit events. Every write of a runner is fenced. */

import type { Batch, BatchState, ExceptionCode, Fate, Stage, Tally } from "../domain/batch.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { JobAction, JobState, Waiting } from "../domain/job-state.ts";
import type { RequestCounts } from "./object-store.ts";

export interface JobRecord {
  /** Sortable by creation time. */
  readonly id: string;
  readonly name: string;
  readonly spec: JobSpec;
  readonly state: JobState;
  readonly waiting: Waiting | null;
  /** Why it is paused or failed; null otherwise. */
  readonly reason: string | null;
  /** Whether the whole inventory is in the ledger. */
  readonly planDone: boolean;
  /** Grows with every change an operator can see; the ETag. */
  readonly version: number;
  /** Grows with every claim. */
  readonly fencingToken: number;
  readonly leaseOwner: string | null;
  /** Epoch milliseconds, as all times here. */
  readonly leaseUntil: number | null;
  /** Over all runs so far. */
  readonly requests: RequestCounts;
  /** Production statements over all runs so far, by database name. */
  readonly statements: Readonly<Record<string, number>>;
  /** Time spent running, over all runs. */
  readonly activeMs: number;
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** Leave to work on a job, until `leaseUntil`; a later claim has a greater token and shuts this one out. */
export interface Lease {
  readonly jobId: string;
  readonly owner: string;
  readonly token: number;
}

/** What a runner reports with each renewal. Counts are totals over all runs. */
export interface RunReport {
  readonly state: "running" | "waiting";
  readonly waiting: Waiting | null;
  readonly requests: RequestCounts;
  readonly statements: Readonly<Record<string, number>>;
  readonly activeMs: number;
}

/** How a stage of a batch ended. Objects' fates and target ETags are taken from `batch`. */
export interface StageOutcome {
  readonly batch: Batch;
  readonly stage: Exclude<Stage, "plan">;
  readonly startedAt: number;
  readonly endedAt: number;
  /** How often the stage was begun by this runner. */
  readonly attempts: number;
  /** Rows changed (update stage). */
  readonly rows: number;
}

/** A batch to plan: its objects in order, and where the inventory goes on after it. */
export interface NewBatch {
  readonly objects: Batch["objects"];
  /** Opaque to the ledger; given back by {@link Ledger.lastCursor}. */
  readonly cursor: string;
}

export interface StageRecord {
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly attempts: number;
}

export interface BatchSummary {
  readonly seq: number;
  readonly state: BatchState;
  readonly planned: number;
  readonly moved: number;
  readonly skipped: number;
  readonly exceptions: number;
  readonly bytes: number;
  readonly rowsUpdated: number;
  readonly firstKey: string;
  readonly lastKey: string;
  readonly worker: string | null;
  readonly plannedAt: number;
  readonly copy: StageRecord;
  readonly verify: StageRecord;
  readonly update: StageRecord;
  readonly delete: StageRecord;
}

export interface ExceptionRecord {
  readonly id: number;
  readonly batch: number;
  readonly key: string;
  readonly stage: Stage;
  readonly code: ExceptionCode;
  readonly message: string;
  readonly at: number;
}

export interface AuditEvent {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  /** Verb, e.g. `submit`, `pause`, `claim`. */
  readonly action: string;
  readonly detail: string;
}

/** What happened to one key. */
export interface ObjectHistory {
  readonly key: string;
  readonly batch: number;
  readonly batchState: BatchState;
  readonly size: number;
  readonly etag: string;
  readonly targetEtag: string | null;
  readonly rows: number;
  readonly fate: Fate;
  readonly worker: string | null;
  readonly plannedAt: number;
  readonly copiedAt: number | null;
  readonly verifiedAt: number | null;
  readonly updatedAt: number | null;
  readonly deletedAt: number | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Give it back to get the next page; null at the end. */
  readonly next: string | null;
}

/**
 * The ledger. Times are epoch milliseconds and always given by the caller. Methods that take a {@link Lease} throw
 * `lease_lost` and write nothing when a later claim exists.
 */
export interface Ledger {
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
   * Changes the state if it still is `from` (else null: look again), and writes the audit event in the same
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
  addAudit(jobId: string, event: Omit<AuditEvent, "id">): Promise<void>;

  /**
   * Takes the job if nobody holds it (no lease, or one that ended before `at`) and its state is runnable: raises the
   * token and sets the lease; `queued` becomes `running` (`pausing` and `cancelling` stay, for the runner to settle).
   * Null when somebody else has it.
   */
  claim(jobId: string, owner: string, at: number, leaseMs: number): Promise<Lease | null>;
  /** Prolongs the lease, stores the report, and gives the job as it is now (an operator may have changed it). */
  renew(lease: Lease, report: RunReport, at: number, leaseMs: number): Promise<JobRecord>;
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

  /** Sums over all batches. One aggregate query; runners ask once and count on from there. */
  tally(jobId: string): Promise<Tally>;
  /** Records a planned batch; its seq follows the last one. One statement. */
  addBatch(lease: Lease, batch: NewBatch, at: number): Promise<Batch>;
  /** Where planning goes on, null when no batch was planned. */
  lastCursor(jobId: string): Promise<string | null>;
  planFinished(lease: Lease, at: number): Promise<void>;
  /** Records how a stage of a batch ended; one statement, one transaction more when exceptions are to be written. */
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
  audit(jobId: string, cursor: string | null, limit: number): Promise<Page<AuditEvent>>;
  /** What happened to `key`; null when it was not planned. Under 1 s in a job of a million objects. */
  objectHistory(jobId: string, key: string): Promise<ObjectHistory | null>;
  /** Whether `key` was planned in a batch before `beforeSeq` and is still accounted for there (not retried). */
  wasPlannedBefore(jobId: string, key: string, beforeSeq: number): Promise<boolean>;
  /**
   * Puts up to `batchSize` open exceptions into a new batch in state `planned` (their objects leave the tally of their
   * old batches, whose fate becomes skipped: `retried`), and removes the exception rows. Gives how many; 0 at the end.
   */
  replanExceptions(jobId: string, batchSize: number, at: number): Promise<number>;
  /** Proves that the ledger can be read. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
