/** Who makes copies: the service itself, request by request, or a machinery that is handed a batch. */

import type { CopyRequest, CopyResult } from "./object-store.ts";

/** One copy to make; `number` names it among the requests of one call. */
export interface NumberedCopy {
  readonly number: number;
  readonly request: CopyRequest;
}

/** What came of the copy `number`; as {@link CopyResult}, whose `precondition_failed` asks for another look. */
export type OnCopyResult = (number: number, result: CopyResult) => void;

/**
 * Makes copies and decides nothing: whether an object is to be copied, and what its result means, is the copy stage's.
 */
export interface CopyEngine {
  /**
   * Makes the copies of `requests`, in any order, and resolves when no more results will come. A result may come late,
   * twice, or not at all: the caller takes the first for each number, and looks in the bucket for what stays without
   * one. Throws `stopped` when `signal` was aborted, and what a store throws that is no object's own failure
   * (`store_unavailable`, …); results given before it throws hold.
   */
  copy(requests: readonly NumberedCopy[], onResult: OnCopyResult, signal: AbortSignal): Promise<void>;
}
