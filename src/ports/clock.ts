/** The clock and timer, passed in wherever they are needed, so that tests control time. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since an arbitrary point; never decreases, also when {@link Clock.now} is set back. */
  monotonic(): number;
  /** Waits `ms`; resolves early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
