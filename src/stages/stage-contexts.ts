/** The contexts of the stages: each has what the stage uses, and nothing more. Only the conveyor has lease, ledger and gate. */

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

/** For stages that read sources. */
export interface SourceContext {
  readonly relocation: Relocation;
  readonly source: RateLimitedStore;
  /** The limit of the job's concurrent requests. */
  readonly concurrency: Concurrency;
  /** Aborted when no new request may begin. */
  readonly signal: AbortSignal;
}

/** For stages that read sources and copies. */
export interface BucketsContext extends SourceContext {
  readonly target: ObjectStore;
}

/** For stages that change rows. */
export interface RowsContext extends References {
  readonly clock: Clock;
  readonly rowLimit: RateLimit;
  readonly signal: AbortSignal;
  /** Resolves when statements of this stage may be sent to all databases of the job; throws `stopped`. */
  databasesReady(): Promise<void>;
  /** Runs `wait`, a wait for a rate limit, which must not count as a stalled job. */
  whileRateLimited(wait: () => Promise<void>): Promise<void>;
  /** Called after each statement that has changed rows of reference `reference`, before anything else can fail. */
  onRowsChanged(reference: number, rows: number): void;
  /** Confirms that the lease is still valid, before an irreversible action; throws `lease_lost`. */
  confirmLease(): Promise<void>;
}

export interface PlanContext extends SourceContext, References {
  readonly spec: Pick<JobSpec, "inventory" | "batchSize" | "maxObjects" | "delete">;
  readonly clock: Clock;
  readonly filter: KeyFilter;
  /** Reads the manifest of a manifest inventory. */
  readonly manifest: ManifestReader;
  /** The planned ones of `keys`, each as it is in the newest batch that accounts for it. */
  lastPlanned(keys: readonly string[]): Promise<ReadonlyMap<string, LastPlanned>>;
  /** This context for work that is cancelled when `signal` aborts, its waits included. */
  until(signal: AbortSignal): PlanContext;
}

export interface CopyContext extends BucketsContext, CheckedReferences {
  readonly spec: Pick<JobSpec, "onConflict" | "inventory">;
  readonly engine: CopyEngine;
  /** Those of `keys` that a batch before batch `seq` has. */
  plannedBefore(keys: readonly string[], seq: number): Promise<ReadonlySet<string>>;
  /** Called for each object whose copy was made, before its batch is recorded; only for display. */
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
  /** The number of keys of a deletion where the store does not compare ETags. */
  readonly deletionSize: DeletionSize;
  /** Asks the gate again at the last moment; null: the deletion may proceed. */
  objection(): Promise<Hold | null>;
  /**
   * The context for the few statements that complete an irreversible action after the job was stopped or its windows have
   * closed: they depend on the lease alone.
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
