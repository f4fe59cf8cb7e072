/** Counts the requests a sandbox store receives, by operation and bucket. */

import type { S3Operation } from "../protocol/s3-request.ts";

/** Counts of requests since the start or the last reset. */
export class RequestCounters {
  #received = new Map<S3Operation, Map<string, number>>();
  #errors = new Map<string, Map<string, number>>();
  #firstAt = new Map<S3Operation, number>();

  /** Every HTTP request that arrived, of one operation and bucket if given; rejected ones included. */
  count(operation?: S3Operation, bucket?: string): number {
    let total = 0;
    for (const [name, byBucket] of this.#received) {
      if (operation === undefined || name === operation) total += sum(byBucket, bucket);
    }
    return total;
  }

  /** Requests by operation. */
  byOperation(): Partial<Record<S3Operation, number>> {
    const counts: Partial<Record<S3Operation, number>> = {};
    for (const [name, byBucket] of this.#received) counts[name] = sum(byBucket);
    return counts;
  }

  /** Requests by operation and bucket, the keys like `CopyObject bucket-b`. */
  byOperationAndBucket(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [name, byBucket] of this.#received) {
      for (const [bucket, count] of byBucket) counts[`${name} ${bucket}`.trimEnd()] = count;
    }
    return counts;
  }

  /** When the first request of each operation arrived, in epoch milliseconds of the machine's clock. */
  firstAtByOperation(): Partial<Record<S3Operation, number>> {
    return Object.fromEntries(this.#firstAt);
  }

  /** All requests received. */
  get total(): number {
    return this.count();
  }

  /** Requests answered with 503 SlowDown, by fault or by write budget. */
  get throttled(): number {
    return this.errors("SlowDown");
  }

  /** Requests refused for their signature, credentials or clock. */
  get rejected(): number {
    return this.errors("rejected");
  }

  /** Requests answered with this error code (`rejected`: any refusal before the operation), in one bucket if given. */
  errors(code: string, bucket?: string): number {
    const byBucket = this.#errors.get(code);
    return byBucket === undefined ? 0 : sum(byBucket, bucket);
  }

  /** Starts again from zero. */
  reset(): void {
    this.#received = new Map();
    this.#firstAt = new Map();
    this.#errors = new Map();
  }

  /** The server's side: a request has arrived. */
  noteReceived(operation: S3Operation, bucket: string): void {
    if (!this.#firstAt.has(operation)) this.#firstAt.set(operation, Date.now());
    increment(this.#received, operation, bucket);
  }

  /** The server's side: a request is answered with an error. */
  noteError(code: string, bucket: string): void {
    increment(this.#errors, code, bucket);
  }
}

function increment<K>(counts: Map<K, Map<string, number>>, name: K, bucket: string): void {
  let byBucket = counts.get(name);
  if (byBucket === undefined) {
    byBucket = new Map();
    counts.set(name, byBucket);
  }
  byBucket.set(bucket, (byBucket.get(bucket) ?? 0) + 1);
}

function sum(byBucket: ReadonlyMap<string, number>, bucket?: string): number {
  if (bucket !== undefined) return byBucket.get(bucket) ?? 0;
  let total = 0;
  for (const count of byBucket.values()) total += count;
  return total;
}
