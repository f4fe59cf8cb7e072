/** What one request to a store costs of its limits. */

import type { PassTerms } from "../../ports/object-store.ts";

/** An answer that never came is asked for again this long; then the stage is held and shown to the operator. */
const UNAVAILABLE_BUDGET_MS = 30_000;

/** What one request costs, and how long its other troubles than throttling may last. */
export interface RequestCost {
  /** The one written to, null for reads. */
  readonly bucket: string | null;
  /** Of the bucket's write rate; a bulk deletion costs one a key. */
  readonly writes: number;
  /** Of the limits of bytes. */
  readonly bytes: number;
  /** Passing troubles are repeated so long, milliseconds; 0: only throttling is. */
  readonly unavailableMs: number;
  /** Whether an answer comes soon where anything is answered; else only the request's own time is its end. */
  readonly isQuick: boolean;
  /** Whether it ends what was begun: it does not wait for windows or guards. */
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

/** The cost of a request that goes beside a copy into `bucket`; without the terms it is repeated with the whole copy only. */
export function costWithinCopy(
  bucket: string,
  writes: number,
  { isRepeatable = false }: PassTerms,
): RequestCost {
  const patience = { ...READ_COST, ...(isRepeatable ? {} : { unavailableMs: 0 }), isQuick: writes === 0 };
  return writes === 0 ? patience : { ...patience, bucket, writes };
}
