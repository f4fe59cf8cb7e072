/** The ledger's records of consignments. */

import type { Batch } from "../domain/batch.ts";
import type { Lease } from "./ledger-records.ts";

/** `open`: sent or about to be; its batches are in state `consigned`. `ended`: no copy of it can begin any more. */
export type ConsignmentState = "open" | "ended";

export interface ConsignmentRecord {
  readonly jobId: string;
  /** 1, 2, … within the job. */
  readonly id: number;
  readonly token: string;
  readonly state: ConsignmentState;
  /** Copies at most: the objects of its batches. */
  readonly objects: number;
  /** Epoch milliseconds, as all times here; null: no end. */
  readonly notAfter: number | null;
  /** The engine's own record; null at first. */
  readonly progress: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** Consignments in the ledger. Writes are fenced as in {@link Ledger}. */
export interface ConsignmentLedger {
  /**
   * Records a consignment and puts its batches (those of `seqs` that are in state `planned`) into state `consigned`, in one
   * transaction. Repeated with the same token it gives the record that is there.
   */
  openConsignment(
    lease: Lease,
    consignment: {
      readonly token: string;
      readonly seqs: readonly number[];
      readonly objects: number;
      readonly notAfter: number | null;
    },
    at: number,
  ): Promise<ConsignmentRecord>;
  /** Stores the engine's progress. */
  saveProgress(lease: Lease, id: number, progress: string): Promise<void>;
  /** Records that no copy of the consignment can begin any more. */
  endConsignment(lease: Lease, id: number, at: number): Promise<void>;
  /** Puts `seqs` of state `consigned` back to `planned`: they will be consigned again, or copied by the service. */
  returnBatches(lease: Lease, seqs: readonly number[]): Promise<void>;
  /** All consignments of a job that have batches in state `consigned`, or are open; oldest first. */
  consignments(jobId: string): Promise<readonly ConsignmentRecord[]>;
  /** Batches of a consignment in state `consigned`, with their objects, in seq order after `afterSeq`. */
  consignedBatches(query: {
    readonly jobId: string;
    readonly id: number;
    readonly afterSeq: number;
    readonly limit: number;
  }): Promise<readonly Batch[]>;
}
