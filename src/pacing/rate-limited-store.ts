/** What stages are given as a store: it keeps to all limits by itself, but for deletions. */

import type { ObjectStore } from "../ports/object-store.ts";

/** An object store whose deletions are paced by the caller, who must look around between waiting and deleting. */
export interface RateLimitedStore extends ObjectStore {
  /** Waits until `writes` more may go to `bucket`, and pays for them: before evidence for a deletion is gathered. */
  reserveWrites(bucket: string, writes: number, signal?: AbortSignal): Promise<void>;
  /**
   * Right before the deletion that room was made for: waits, seldom and for less than a second, until no second holds
   * more requests than it may. Tells whether it did wait: look at the clock and at what else may have changed.
   */
  useReservation(signal?: AbortSignal): Promise<boolean>;
  /** How many keys one bulk deletion in `bucket` should have now, 1–1,000: fewer where it is throttled. */
  bulkKeys(bucket: string): number;
  /**
   * Whether a request may begin now and, as far as windows tell, still in `aheadMs`; for those that are not waited for,
   * after whatever came since `reserveWrites`.
   */
  isOpen(aheadMs?: number): boolean;
}
