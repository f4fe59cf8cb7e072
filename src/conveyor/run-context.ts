/** What the conveyor is given for one run of one job. */

import type { Batch, BatchStage } from "../domain/batch.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { Tally } from "../domain/tally.ts";
import type { Gate } from "../pacing/gate.ts";
import type { Clock } from "../ports/clock.ts";
import type { Lease, Ledger } from "../ports/ledger.ts";
import type { ReferenceChecks } from "../stages/reference-checks.ts";
import type { StageContexts } from "../stages/stage-contexts.ts";
import type { JobTime } from "./job-time.ts";
import type { UnrecordedCopies, UnrecordedRows } from "./live-tally.ts";
import type { WaitTracker } from "./wait-tracker.ts";

export interface RunContext {
  readonly spec: Pick<JobSpec, "delete" | "maxObjects">;
  readonly ledger: Ledger;
  readonly lease: Lease;
  readonly clock: Clock;
  /** Aborted when no new request may begin. */
  readonly signal: AbortSignal;
  readonly gate: Gate;
  readonly stages: StageContexts;
  /** Told which batches are under way. */
  readonly referenceChecks: ReferenceChecks;
  readonly waits: WaitTracker;
  /** Counted on as outcomes are recorded. */
  readonly tally: Tally;
  readonly unrecorded: UnrecordedCopies;
  readonly rows: UnrecordedRows;
  /** Milliseconds between the update of a batch and its deletion, in the job's time. */
  readonly graceMs: number;
  /** When rows were updated, and whether their grace is over, is told by this and not by the wall clock. */
  readonly time: JobTime;
  /** Told after each recorded stage. */
  onStage?(batch: Batch, stage: BatchStage): void;
  /** Told when the inventory could not be counted ahead: the job goes on, its end is known later. */
  onCountFailed?(error: unknown): void;
}
