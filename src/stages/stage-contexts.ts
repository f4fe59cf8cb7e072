/** What each stage is given: what it uses, and nothing more. Lease, ledger and gate are the conveyor's. */

import type { DeleteWhen, JobSpec, KeyFilter, VerifyBy } from "../domain/job-spec.ts";
import type { DeletionSize } from "../domain/rates/deletion-size.ts";
import type { RateLimit } from "../domain/rates/rate-limit.ts";
import type { Relocation } from "../domain/relocation.ts";
import type { Concurrency } from "../pacing/concurrency.ts";
import type { Hold } from "../pacing/gate.ts";
import type { RateLimitedStore } from "../pacing/rate-limited-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { CopyEngine } from "../ports/copy-engine.ts";
import type { LastPlanned } from "../ports/ledger.ts";
import type { ManifestReader } from "../ports/manifest-reader.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ReferenceChecks } from "./reference-checks.ts";
import type { CheckedReferences, References } from "./reference-lookup.ts";

/** For stages that look at sources. */
export interface SourceContext {
  readonly relocation: Relocation;
  readonly source: RateLimitedStore;
  /** How many requests of the job may be under way. */
  readonly concurrency: Concurrency;
  /** Aborted when no new request may begin. */
  readonly signal: AbortSignal;
}

/** For stages that look at sources and copies. */
export interface BucketsContext extends SourceContext {
  readonly target: ObjectStore;
}

/** For what changes rows. */
export interface RowsContext extends References {
  readonly clock: Clock;
  readonly rowLimit: RateLimit;
  readonly signal: AbortSignal;
  /** Resolves when statements of this stage may go to all databases of the job; throws `stopped`. */
  databasesReady(): Promise<void>;
  /** Runs `wait`, in which the stage waits for a rate limit: the job is not standing still meanwhile. */
  whileRateLimited(wait: () => Promise<void>): Promise<void>;
  /** Told of each statement that has changed rows of reference `reference`, before anything else may fail. */
  onRowsChanged(reference: number, rows: number): void;
  /** Makes sure that the job is still ours, before something that cannot be taken back; throws `lease_lost`. */
  confirmLease(): Promise<void>;
}

export interface PlanContext extends SourceContext, References {
  readonly spec: Pick<JobSpec, "inventory" | "batchSize" | "maxObjects" | "delete">;
  readonly clock: Clock;
  readonly filter: KeyFilter;
  /** Where a manifest inventory is read. */
  readonly manifest: ManifestReader;
  /** Those of `keys` that the job has planned, each as it is in the newest batch that accounts for it. */
  lastPlanned(keys: readonly string[]): Promise<ReadonlyMap<string, LastPlanned>>;
  /** This context for work that is not needed any more when `signal` aborts: its waits are given up then too. */
  until(signal: AbortSignal): PlanContext;
}

export interface CopyContext extends BucketsContext, CheckedReferences {
  readonly spec: Pick<JobSpec, "onConflict" | "inventory">;
  readonly engine: CopyEngine;
  /** Those of `keys` that a batch before batch `seq` has. */
  plannedBefore(keys: readonly string[], seq: number): Promise<ReadonlySet<string>>;
  /** Told of each object whose copy was made, before its batch is recorded: only to be shown. */
  onCopied(bytes: number): void;
}

export interface VerifyContext extends BucketsContext {
  readonly verify: VerifyBy;
}

export type UpdateContext = RowsContext;

export interface DeleteContext extends BucketsContext, RowsContext, CheckedReferences {
  readonly deleteWhen: DeleteWhen;
  /** The checks of rows before deletions, of all batches of the run. */
  readonly referenceChecks: ReferenceChecks;
  /** How many keys a deletion may have where the store does not compare ETags. */
  readonly deletionSize: DeletionSize;
  /** Asks the gate once more, at the last moment; null: go. */
  objection(): Promise<Hold | null>;
  /**
   * For the few statements that end what cannot be taken back: bound by the lease alone, when the job is stopped in the
   * middle of it.
   */
  unbound(): RowsContext & CheckedReferences;
}

/** The contexts of one run. */
export interface StageContexts {
  readonly plan: PlanContext;
  readonly copy: CopyContext;
  readonly verify: VerifyContext;
  readonly update: UpdateContext;
  readonly delete: DeleteContext;
}
