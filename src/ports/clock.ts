/** Time, passed in wherever it is needed, so that tests hold it in their hand. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since some moment before: only goes forward, whatever anybody sets {@link Clock.now} to. */
  monotonic(): number;
  /** Waits `ms`; resolves early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
