/** Time, passed in wherever it is needed, so that tests hold it in their hand. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Waits `ms`; resolves early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
