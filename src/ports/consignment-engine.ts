/** ConsignmentEngine: copies by an external service that is given many batches at once and may take hours. */

import type { NumberedCopy, OnCopyResult } from "./copy-engine.ts";
import type { CopyRequest } from "./object-store.ts";

/** Upper bounds for the external service; null: no bound. */
export interface ConsignmentLimits {
  readonly concurrency: number;
  readonly requestsPerSecond: number | null;
}

/** Copies that travel together. Everything the engine needs to continue after a restart is recorded in the ledger. */
export interface Consignment {
  readonly jobId: string;
  /** 1, 2, … within the job. */
  readonly id: number;
  /** Idempotency token, unique to the consignment and recorded before anything is sent; 1–64 characters. */
  readonly token: string;
  /** The number of copies at most. */
  readonly objects: number;
  /** Epoch ms; no copy may begin at or after it. Null: at any time. */
  readonly notAfter: number | null;
  /** What the engine saved last; null at first. Opaque to all others. */
  readonly progress: string | null;
}

/** What an engine waits for, shown as the job's reason `engine`. */
export interface EngineWait {
  /** One sentence, e.g. `S3 Batch Operations prepares job 1f…`. */
  readonly detail: string;
  /** Epoch ms; null when unknown. */
  readonly until: number | null;
}

/** A consignment on its way, and the callbacks of the one who follows it. */
export interface ConsignmentOrder {
  readonly consignment: Consignment;
  readonly limits: ConsignmentLimits;
  /** The copies, read from the ledger page by page; may be called again after a restart. All are accepted ones. */
  copies(): AsyncIterable<NumberedCopy>;
  /** Records `progress` in the ledger; resolves when it is durable. Call it before the step that it makes repeatable. */
  save(progress: string): Promise<void>;
  /** Called when what the engine waits for changes; null: copies are being made. */
  onWait(wait: EngineWait | null): void;
  /** Called about once a second with copies that have ended so far, as far as known; for display only. */
  onProgress(ended: number): void;
  /** Aborted when no copy may begin any more (pause, cancel, closed window, guard): the service is told within 5 s. */
  readonly recall: AbortSignal;
  /** Called when the external service has confirmed a recall: it begins no further copy. */
  onRecalled?(): void;
}

/**
 * How a consignment ended. In each case no copy of it can begin any more, and all results that will come were given.
 * `ended`: the service has worked through it. `recalled`: it was stopped because of `recall` or `notAfter`. `broken`: the
 * service stopped by itself or was stopped by somebody else; `reason` is one sentence for the operator.
 */
export type ConsignmentEnd =
  | { readonly kind: "ended" }
  | { readonly kind: "recalled" }
  | { readonly kind: "broken"; readonly reason: string };

/** Makes the copies of consignments and decides nothing. Results may come late, twice, or not at all. */
export interface ConsignmentEngine {
  /** Copies in one consignment at most. */
  readonly mostCopies: number;
  /** Null: the engine can make this copy; otherwise why the service must make it itself (size, key, class). */
  objection(request: CopyRequest): string | null;
  /**
   * Sends the consignment unless its progress says that it was sent, follows it, and gives its results. Resolves when no
   * copy of it can begin any more. Repeating it after a crash at any moment neither creates a second job nor repeats a
   * copy. Throws `stopped` when `signal` was aborted (the external job goes on: another process will follow it),
   * `engine_unavailable` (may be repeated) and `engine_refused` (missing function, role, right, …; repeating does not help
   * before the operator has acted).
   */
  carry(order: ConsignmentOrder, onResult: OnCopyResult, signal: AbortSignal): Promise<ConsignmentEnd>;
  /**
   * Results of `copies` that are known while their consignment is still under way; absent where the engine tells them only
   * at its end. Hints: each is checked like any result.
   */
  known?(copies: readonly NumberedCopy[], onResult: OnCopyResult, signal: AbortSignal): Promise<void>;
  /**
   * Removes the engine's records of `copies`, whose batch is done and whose consignment has ended. Repeating it does
   * nothing; absent where there are none.
   */
  forget?(copies: readonly NumberedCopy[], signal: AbortSignal): Promise<void>;
}
