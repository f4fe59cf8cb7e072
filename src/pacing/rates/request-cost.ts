/** What one request to a store takes from the limits. */

import type { WriteTerms } from "../../ports/object-store.ts";

/** Temporary failures of a request are repeated for this time; then the stage waits and the operator is told. */
const UNAVAILABLE_BUDGET_MS = 30_000;

/** What one request takes from the limits, and how its failures are treated. */
export interface RequestCost {
  /** The bucket that is written to; null for reads. */
  readonly bucket: string | null;
  /** Taken from the bucket's write rate; a bulk deletion takes one for each key. */
  readonly writes: number;
  /** Taken from the limits of bytes. */
  readonly bytes: number;
  /** How long temporary failures are repeated, milliseconds; 0: only throttling is repeated. */
  readonly unavailableMs: number;
  /** Whether a store that answers at all answers within seconds; else only the request's own timeout ends it. */
  readonly isQuick: boolean;
  /** Whether it removes what an unfinished request has left: it does not wait for windows or guards. */
  readonly cleansUp?: boolean;
}

/** The cost of a listing, a HEAD, a read. */
export const READ_COST: RequestCost = {
  bucket: null,
  writes: 0,
  bytes: 0,
  unavailableMs: UNAVAILABLE_BUDGET_MS,
  isQuick: true,
};

/** The cost of a further request of a copy into `bucket`; unless `isRepeatable`, only the whole copy is repeated. */
export function costWithinCopy(
  bucket: string,
  writes: number,
  { isRepeatable = false }: WriteTerms,
): RequestCost {
  const cost = { ...READ_COST, ...(isRepeatable ? {} : { unavailableMs: 0 }), isQuick: writes === 0 };
  return writes === 0 ? cost : { ...cost, bucket, writes };
}
