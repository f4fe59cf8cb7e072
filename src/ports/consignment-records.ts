/** The ledger's records of consignments. */

import type { Batch } from "../domain/batch.ts";
import type { Lease } from "./ledger-records.ts";

/**
 * `open`: sent, or about to be. `ended`: no copy of it can begin any more; its batches are taken in. `forgotten`: the engine
 * has no records of it any more.
 */
export type ConsignmentState = "open" | "ended" | "forgotten";

/** Times are epoch milliseconds. */
export interface ConsignmentRecord {
  readonly jobId: string;
  /** 1, 2, … within the job. */
  readonly id: number;
  readonly token: string;
  readonly state: ConsignmentState;
  /** Copies at most: the pending objects of its batches. */
  readonly objects: number;
  /** No copy may begin at or after it; null: no end. */
  readonly notAfter: number | null;
  /** The engine's own record; null at first. */
  readonly progress: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** Consecutive planned batches that may travel together. */
export interface PlannedRange {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Their pending objects. */
  readonly objects: number;
}

/** Consignments in the ledger. Writes are fenced, and errors thrown, as in {@link Ledger}. */
export interface ConsignmentLedger {
  /** The first batches in state `planned` that hold up to `most` pending objects, at least one batch; null: there is none. */
  plannedRange(jobId: string, most: number): Promise<PlannedRange | null>;
  /**
   * Records a consignment and puts the batches of `range` that are in state `planned` into `consigned`, in one transaction.
   * Repeated with the same token it gives the record that is there.
   */
  openConsignment(
    lease: Lease,
    consignment: {
      readonly token: string;
      readonly range: PlannedRange;
      readonly notAfter: number | null;
      readonly at: number;
    },
  ): Promise<ConsignmentRecord>;
  /** Stores the engine's progress. */
  saveProgress(lease: Lease, id: number, progress: string): Promise<void>;
  /** Sets the state `ended` or `forgotten`. */
  closeConsignment(lease: Lease, id: number, state: "ended" | "forgotten", at: number): Promise<void>;
  /**
   * Puts batch `seq` from `consigned` back to `planned`, as of token 0, since some of its copies may have been made: the others
   * are made later, by a consignment or the service.
   */
  returnBatch(lease: Lease, seq: number): Promise<void>;
  /** All consignments of a job, oldest first. */
  consignments(jobId: string): Promise<readonly ConsignmentRecord[]>;
  /** Batches of a consignment in `state`, with their objects, in seq order after `afterSeq`. */
  consignedBatches(query: {
    readonly jobId: string;
    readonly id: number;
    readonly state: "consigned" | "done";
    readonly afterSeq: number;
    readonly limit: number;
  }): Promise<readonly Batch[]>;
}
