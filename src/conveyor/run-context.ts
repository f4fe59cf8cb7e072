/** What the conveyor is given for one run of one job. */

import type { Batch, BatchStage } from "../domain/batch.ts";
import type { WorkStage } from "../domain/job-spec.ts";
import type { Tally } from "../domain/tally.ts";
import type { StageContext } from "../stages/stage-context.ts";
import type { JobTime } from "./job-time.ts";
import type { UnrecordedCopies, UnrecordedRows } from "./live-tally.ts";
import type { WaitTracker } from "./wait-tracker.ts";

export interface RunContext {
  /** Of planning, copying and verifying, and of the run as a whole. */
  readonly context: StageContext;
  /** Of the stages that have stores and tables of their own. */
  readonly contexts: Readonly<Record<WorkStage, StageContext>>;
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
