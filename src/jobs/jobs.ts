/** `Jobs`: the use cases that HTTP and the command line call; `create-jobs.ts` implements them. */

import type { JobAction, JobState } from "../domain/job-state.ts";
import type { AuditEvent, BatchSummary, ExceptionRecord, ObjectHistory, Page } from "../ports/ledger.ts";
import type { PreflightReport } from "./preflight/preflight-report.ts";
import type { JobView } from "./view/job-view.ts";

export interface PageQuery {
  readonly cursor: string | null;
  /** 1–1,000. */
  readonly limit: number;
}

/** Options of an action. */
export interface ActionOptions {
  /** `resume` only: work outside the windows too, until they next open. */
  readonly ignoreWindow?: boolean;
}

/** Methods throw `DomainError`: `not_found` for an unknown job, `invalid_input` with every fault, `state_conflict` … */
export interface Jobs {
  /**
   * Checks `input` against the schema and against the configured stores and databases, and queues the job.
   * The same `idempotencyKey` gives the first job again, with `created` false.
   */
  submit(
    input: unknown,
    by: { readonly idempotencyKey: string | null; readonly actor: string },
  ): Promise<{ readonly job: JobView; readonly created: boolean }>;
  /** What would happen; changes nothing, except that `canary` writes, copies and deletes one small object. */
  preflight(
    input: unknown,
    options: {
      readonly canary: boolean;
      readonly signal?: AbortSignal;
      /** Called after each batch with the number of objects counted so far. */
      readonly onProgress?: (objects: number) => void;
    },
  ): Promise<PreflightReport>;
  list(query: PageQuery & { readonly state: JobState | null }): Promise<Page<JobView>>;
  get(id: string): Promise<JobView>;
  /** Idempotent; an action that the state does not allow throws `state_conflict` naming the state. */
  act(id: string, action: JobAction, actor: string, options?: ActionOptions): Promise<JobView>;
  /**
   * Changes limits, windows and guards of a job that has not ended; a runner applies them within two seconds.
   * `ifVersions`: only while the job's version is one of these (null: any version), else `precondition_failed`.
   */
  amend(
    id: string,
    input: unknown,
    by: { readonly ifVersions: readonly number[] | null; readonly actor: string },
  ): Promise<JobView>;
  batches(id: string, query: PageQuery): Promise<Page<BatchSummary>>;
  exceptions(id: string, query: PageQuery): Promise<Page<ExceptionRecord & { readonly advice: string }>>;
  audit(id: string, query: PageQuery): Promise<Page<AuditEvent>>;
  /** One object's outcome; throws `not_found` when the job has not planned `key`. */
  object(id: string, key: string): Promise<ObjectHistory>;
  /** Proves that the ledger answers; throws `ledger_unavailable`. */
  ready(): Promise<void>;
}
