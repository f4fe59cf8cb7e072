/** What a function that copies is given: the object store, the clock, and what goes beside a copy. */

import type { RowUpdates } from "../domain/engines/row-updates.ts";
import type { PrefixChange } from "../domain/keys/key-mapping.ts";
import type { Clock } from "../ports/clock.ts";
import type { PlannedCopy } from "./planned-copy.ts";

/** The requests of one copy. Both send one request each, repeat nothing, and throw `S3Fault`. */
export interface CopyStore {
  /**
   * Copies with metadata, tags, content headers and storage class, pinned to the planned version and conditional on the
   * target. Gives the new object's ETag, without quotes. `mayBegin` is called right before the request is written; false:
   * it is not sent and fails as if it had timed out.
   */
  copy(planned: PlannedCopy, mayBegin: () => boolean, signal: AbortSignal): Promise<string>;
  /** ETag (without quotes) and bytes of the object at the target; null: there is none. */
  lookAtTarget(
    planned: PlannedCopy,
    signal: AbortSignal,
  ): Promise<{ readonly etag: string; readonly size: number } | null>;
}

/** The table of the engine `lambda-copy-log`. */
export interface CopyLog {
  /**
   * Makes the copy's record unless there is one. `copied`: it is flagged already, so nothing is copied again. Repeats by
   * itself what passes by itself, for some seconds; an error means that no record was made, and nothing is copied.
   */
  begin(planned: PlannedCopy): Promise<"copied" | "open">;
}

/** A job whose rows a function updates. */
export interface UpdatingJob {
  /** Of the consignment. */
  readonly token: string;
  readonly change: PrefixChange;
  readonly updates: RowUpdates;
  /** Whether a statement may begin now: the job's time is not over, and the function's lasts until it has an answer. */
  mayBegin(): boolean;
}

/** What follows a copy whose ETag proves it, also one that an earlier invocation has made: so it must be repeatable. */
export interface AfterCopy {
  /** An error is logged and changes nothing: the service's update stage has the last word. */
  afterCopy(planned: PlannedCopy, etag: string): Promise<void>;
}

export interface CopyPorts {
  readonly store: CopyStore;
  readonly clock: Clock;
  /** 0 (inclusive) to 1, as `Math.random`. */
  readonly random: () => number;
  /** Writes one line of the function's log. */
  readonly log: (line: Readonly<Record<string, unknown>>) => void;
  /** Gives the log kept in `table`; absent: this function keeps none, and refuses jobs that ask for one. */
  readonly copyLog?: (table: string) => CopyLog;
  /** Gives what updates the rows of `job`; throws `RangeError` where it has none to update. Absent: as with `copyLog`. */
  readonly updates?: (job: UpdatingJob) => AfterCopy;
}
