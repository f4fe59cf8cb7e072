/** The ledger's records: jobs, batches, exceptions, audit events, the history of one object. */

import type {
  Batch,
  BatchObject,
  BatchStage,
  BatchState,
  ExceptionCode,
  Outcome,
  Stage,
} from "../domain/batch.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { JobState, Waiting } from "../domain/job-state.ts";
import type { RequestCounts } from "./object-store.ts";

export interface JobRecord {
  /** Sortable by creation time. */
  readonly id: string;
  readonly name: string;
  readonly spec: JobSpec;
  readonly state: JobState;
  readonly waiting: Waiting | null;
  /** Why the job is paused or failed; null otherwise. */
  readonly reason: string | null;
  /** Whether the whole inventory is in the ledger. */
  readonly planDone: boolean;
  /** Incremented by every change that is visible to operators; the ETag of the API. */
  readonly version: number;
  /** Incremented by every claim. */
  readonly fencingToken: number;
  readonly leaseOwner: string | null;
  /** Epoch milliseconds, as all times here. */
  readonly leaseUntil: number | null;
  /** Over all runs so far. */
  readonly requests: RequestCounts;
  /** Production statements over all runs so far, by database name. */
  readonly statements: Readonly<Record<string, number>>;
  /** Milliseconds spent running, over all runs. */
  readonly activeMs: number;
  readonly approvedBy: string | null;
  readonly approvedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Until this time the job may work outside its windows, by an operator's decision; null: it may not. */
  readonly windowsIgnoredUntil: number | null;
  /** Milliseconds by which the job's time lags behind the wall clock; above 0 after the clock was set forward during a run. */
  readonly clockLagMs: number;
  /** Expected size of the whole inventory; null until it was counted, and for a job planned by an older version. */
  readonly expected: ExpectedObjects | null;
}

/** Size of a whole inventory, counted ahead of planning; approximate, as objects are added and removed meanwhile. */
export interface ExpectedObjects {
  /** Objects planned before the count included, `maxObjects` at most. */
  readonly objects: number;
  /** Null where the inventory has no sizes. */
  readonly bytes: number | null;
}

/** The right to work on a job until `leaseUntil`; a later claim has a greater token and invalidates this one. */
export interface Lease {
  readonly jobId: string;
  readonly owner: string;
  readonly token: number;
}

/** Reported by a runner with each renewal. Counts are totals over all runs. */
export interface RunReport {
  readonly state: "running" | "waiting";
  readonly waiting: Waiting | null;
  readonly requests: RequestCounts;
  readonly statements: Readonly<Record<string, number>>;
  readonly activeMs: number;
  /** See {@link JobRecord.clockLagMs}. */
  readonly clockLagMs: number;
}

/** The end of a stage of a batch. Objects' outcomes and target ETags are taken from `batch`. */
export interface StageOutcome {
  readonly batch: Batch;
  readonly stage: BatchStage;
  readonly startedAt: number;
  readonly endedAt: number;
  /** How many times this runner has begun the stage. */
  readonly attempts: number;
  /** Rows changed: by the update stage, and by the delete stage for rows that were added late. */
  readonly rows: number;
  /** The stage was stopped: the outcomes so far are recorded, and the batch keeps its state. */
  readonly isPartial?: boolean;
}

/** A batch to record: its objects in order, and the position of the inventory after it. */
export interface NewBatch {
  readonly objects: Batch["objects"];
  /** Opaque to the ledger; returned by {@link Ledger.lastCursor}. */
  readonly cursor: string;
}

/** An object as it is in the newest batch that accounts for its key. */
export interface LastPlanned {
  /** The batch's seq. */
  readonly batch: number;
  readonly object: BatchObject;
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

/** The history of one key. */
export interface ObjectHistory {
  readonly key: string;
  readonly batch: number;
  readonly batchState: BatchState;
  readonly size: number;
  readonly etag: string;
  readonly targetEtag: string | null;
  readonly rows: number;
  readonly outcome: Outcome;
  readonly worker: string | null;
  readonly plannedAt: number;
  readonly copiedAt: number | null;
  readonly verifiedAt: number | null;
  readonly updatedAt: number | null;
  readonly deletedAt: number | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next page; null at the end. */
  readonly next: string | null;
}
