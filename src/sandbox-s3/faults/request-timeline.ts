/** Samples the counters of a store at short intervals, so that a benchmark can tell the start of a run from the rest. */

import type { SandboxStore } from "../sandbox-store.ts";

/** What had happened up to one moment; all counts since the start. */
export interface TimelineSample {
  /** Of a monotonic clock; only differences mean something. */
  readonly ms: number;
  /** Requests received, by `Operation bucket`. */
  readonly received: Readonly<Record<string, number>>;
  /** Requests answered with SlowDown, by bucket. */
  readonly slowDown: Readonly<Record<string, number>>;
  /** Writes that the budgets admitted, by bucket; a bulk delete counts its keys. */
  readonly granted: Readonly<Record<string, number>>;
}

/** Samples of one store, taken in its own process: nothing is added to the path of a request. */
export class RequestTimeline {
  readonly #store: SandboxStore;
  readonly #buckets: readonly string[];
  readonly #samples: TimelineSample[] = [];

  constructor(store: SandboxStore, buckets: readonly string[]) {
    this.#store = store;
    this.#buckets = buckets;
  }

  /** Takes a sample every `everyMs`, or later when the store is busy; samples say when they were taken. */
  start(everyMs: number): void {
    setInterval(() => this.#sample(), everyMs).unref();
  }

  /** All samples and one of this moment. Moments at which nothing had changed are left out. */
  samples(): readonly TimelineSample[] {
    this.#sample();
    return this.#samples;
  }

  #sample(): void {
    const { requests, faults } = this.#store;
    const byBucket = (count: (bucket: string) => number) =>
      Object.fromEntries(this.#buckets.map((bucket) => [bucket, count(bucket)]));
    const sample: TimelineSample = {
      ms: performance.now(),
      received: requests.byOperationAndBucket(),
      slowDown: byBucket((bucket) => requests.errors("SlowDown", bucket)),
      granted: byBucket((bucket) => faults.writesGranted(bucket)),
    };
    const last = this.#samples.at(-1);
    const before = this.#samples.at(-2);
    // The last of several equal ones stays: the next change came after it.
    if (last !== undefined && before !== undefined && isSame(before, last) && isSame(last, sample)) {
      this.#samples.pop();
    }
    this.#samples.push(sample);
  }
}

function isSame(one: TimelineSample, other: TimelineSample): boolean {
  return JSON.stringify({ ...one, ms: 0 }) === JSON.stringify({ ...other, ms: 0 });
}
