/** The store that stages are given: every request but a deletion waits for the limits by itself. */

import type { ObjectStore } from "../ports/object-store.ts";

/** An object store whose deletions are rate-limited by the caller, who must gather evidence between waiting and deleting. */
export interface RateLimitedStore extends ObjectStore {
  /** Waits until `writes` more may be sent to `bucket` and reserves them: before evidence for a deletion is gathered. */
  reserveWrites(bucket: string, writes: number, signal?: AbortSignal): Promise<void>;
  /**
   * Right before a reserved deletion is sent: waits, seldom and for less than a second, until no second holds more requests
   * than the limits allow. Gives whether it waited: the clock and the evidence must be checked again then.
   */
  useReservation(signal?: AbortSignal): Promise<boolean>;
  /** How many keys one bulk deletion in `bucket` should have now, 1–1,000: fewer where it is throttled. */
  bulkKeys(bucket: string): number;
  /**
   * Whether a request may begin now and, as far as windows tell, still in `aheadMs`: for requests that do not wait, after
   * anything that happened since `reserveWrites`.
   */
  isOpen(aheadMs?: number): boolean;
}
