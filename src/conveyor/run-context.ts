/** RunContext: the dependencies of the conveyor for one run of one job. */

import type { Batch, BatchStage } from "../domain/batch.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { Tally } from "../domain/tally.ts";
import type { Gate } from "../pacing/gate.ts";
import type { Clock } from "../ports/clock.ts";
import type { ConsignmentEngine, ConsignmentLimits } from "../ports/consignment-engine.ts";
import type { Lease, Ledger } from "../ports/ledger.ts";
import type { ReferenceChecks } from "../stages/reference-checks.ts";
import type { StageContexts } from "../stages/stage-contexts.ts";
import type { JobTime } from "./job-time.ts";
import type { UnrecordedCopies, UnrecordedRows } from "./live-tally.ts";
import type { Recalls } from "./recalls.ts";
import type { WaitTracker } from "./wait-tracker.ts";

/** What a run needs where an external engine copies. */
export interface Consigning {
  readonly engine: ConsignmentEngine;
  /** The limits in force now. */
  limits(): ConsignmentLimits;
  /** When the window that is open for copies closes; epoch ms, null: it does not. */
  closesAt(): number | null;
  /** Whether functions update rows before the update stage does. */
  readonly updatesRows: boolean;
  /** Aborted when the run is stopped so that no copy may go on elsewhere: by an operator, a guard, an error of the job. */
  readonly recall: AbortSignal;
  readonly recalls: Recalls;
}

export interface RunContext {
  readonly spec: Pick<JobSpec, "maxObjects">;
  readonly ledger: Ledger;
  readonly lease: Lease;
  readonly clock: Clock;
  /** Aborted when no new request may begin. */
  readonly signal: AbortSignal;
  readonly gate: Gate;
  readonly stages: StageContexts;
  /** Null: the service copies. */
  readonly consigning: Consigning | null;
  /** Must know which batches are in progress. */
  readonly referenceChecks: ReferenceChecks;
  readonly waits: WaitTracker;
  /** Updated as outcomes are recorded. */
  readonly tally: Tally;
  readonly unrecorded: UnrecordedCopies;
  readonly rows: UnrecordedRows;
  /** Milliseconds between the update of a batch and its deletion, in the job's time. */
  readonly graceMs: number;
  /** The time by which updates of rows are recorded and grace periods measured, instead of the wall clock. */
  readonly time: JobTime;
  /** Called after each recorded stage. */
  onStage?(batch: Batch, stage: BatchStage): void;
  /** Called when the inventory could not be counted ahead; the job goes on, without an early estimate of its end. */
  onCountFailed?(error: unknown): void;
}
