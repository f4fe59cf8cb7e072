/** What the ledger keeps, as it gives it back: jobs, batches, exceptions, audit events, the history of one object. */

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
  /** Until then an operator lets the job work outside its windows. */
  readonly windowsIgnoredUntil: number | null;
  /** Milliseconds that the job's own time lags behind the wall clock, which was set forward while it ran; 0 mostly. */
  readonly clockLagMs: number;
  /** What the whole inventory is expected to give; null until it was counted, and for a job that was planned before. */
  readonly expected: ExpectedObjects | null;
}

/** A whole inventory as it was counted ahead of planning: about what will be planned, for objects come and go. */
export interface ExpectedObjects {
  /** Those planned before included, `maxObjects` at most. */
  readonly objects: number;
  /** Null where the inventory does not tell sizes. */
  readonly bytes: number | null;
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
  /** See {@link JobRecord.clockLagMs}. */
  readonly clockLagMs: number;
}

/** How a stage of a batch ended. Objects' outcomes and target ETags are taken from `batch`. */
export interface StageOutcome {
  readonly batch: Batch;
  readonly stage: BatchStage;
  readonly startedAt: number;
  readonly endedAt: number;
  /** How often the stage was begun by this runner. */
  readonly attempts: number;
  /** Rows changed: by the update stage, and by the delete stage where rows came late. */
  readonly rows: number;
  /** The stage was stopped: what it has settled is recorded, and the batch stays in the state it is in. */
  readonly isPartial?: boolean;
}

/** A batch to plan: its objects in order, and where the inventory goes on after it. */
export interface NewBatch {
  readonly objects: Batch["objects"];
  /** Opaque to the ledger; given back by {@link Ledger.lastCursor}. */
  readonly cursor: string;
}

/** An object in the newest batch that accounts for its key. */
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

/** What happened to one key. */
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
  /** Give it back to get the next page; null at the end. */
  readonly next: string | null;
}
