/** CopyEngine: makes copies, either request by request in this process or by an external service that is given a batch. */

import type { CopyRequest, CopyResult } from "./object-store.ts";

/** One copy to make; `number` identifies it among the requests of one call. */
export interface NumberedCopy {
  readonly number: number;
  readonly request: CopyRequest;
}

/**
 * Called with the result of the copy `number`; after `precondition_failed` the caller checks source and target again. A
 * promise is to be awaited before the request's place is given to another one: more requests about its object follow.
 */
export type OnCopyResult = (number: number, result: CopyResult) => void | Promise<void>;

/** Makes copies and decides nothing: the copy stage decides which objects are copied and what the results mean. */
export interface CopyEngine {
  /**
   * Makes the copies of `requests`, in any order, and resolves when no more results will come. A result may come late,
   * twice, or not at all: the caller uses the first for each number, and checks source and target where there is none.
   * Throws `stopped` when `signal` was aborted, and the store's errors that are not failures of one object
   * (`store_unavailable`, …); results given before it throws are valid.
   */
  copy(requests: readonly NumberedCopy[], onResult: OnCopyResult, signal: AbortSignal): Promise<void>;
}
