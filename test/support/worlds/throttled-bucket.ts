/** A simulated bucket that stands so many writes a second, and jobs that write to it as fast as they may. */

import { DomainError } from "../../../src/domain/errors.ts";
import type { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { GovernedObjectStore } from "../../../src/pacing/governed-object-store.ts";
import { BucketGovernor } from "../../../src/pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../../src/pacing/rates/fair-queue.ts";
import { JobStallDetectors } from "../../../src/pacing/stall-detector.ts";
import type { ObjectStore } from "../../../src/ports/object-store.ts";
import { WriteBudget } from "../../../src/sandbox-s3/faults/write-budget.ts";
import { VirtualClock } from "../clocks/virtual-clock.ts";

export interface Sums {
  granted: number;
  requests: number;
  rejected: number;
}

/** A seeded generator of numbers in [0, 1), so that a simulation is the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export class Simulation {
  readonly clock = new VirtualClock();
  readonly governor = new BucketGovernor();
  readonly began = this.clock.now();
  readonly bySecond: Sums[] = [];
  /** What copying threw: nothing ever should. */
  readonly failures: unknown[] = [];
  readonly #sentBy = new Map<GovernedObjectStore, number>();
  readonly #fairQueue = new FairQueue(this.clock);
  readonly #random = seeded(1);
  readonly #latencyMs: number;
  #budget: WriteBudget;
  #stopped = false;

  constructor(writesPerSecond: number, latencyMs: number) {
    this.#latencyMs = latencyMs;
    this.#budget = this.#newBudget(writesPerSecond);
  }

  allow(writesPerSecond: number): void {
    this.#budget = this.#newBudget(writesPerSecond);
  }

  /** A job with `copiers` that copy one object after the other. */
  copyWith(copiers: number, job = this.job()): void {
    for (let copier = 0; copier < copiers; copier += 1) {
      void this.#copyOn(job).catch((error) => this.failures.push(error));
    }
  }

  /** A job with `deleters` that delete slices of a thousand, in requests of the size the bucket stands. */
  deleteWith(deleters: number, job = this.job()): void {
    for (let deleter = 0; deleter < deleters; deleter += 1) void this.#deleteOn(job);
  }

  job(requestLimits: readonly RateLimit[] = []): GovernedObjectStore {
    return new GovernedObjectStore({
      store: this.#store(),
      clock: this.clock,
      fairQueue: this.#fairQueue,
      requestLimits,
      byteLimits: [],
      governorOf: () => this.governor,
      stalls: new JobStallDetectors().stores,
      random: this.#random,
    });
  }

  /** Runs until so many seconds after its beginning. */
  async run(seconds: number): Promise<void> {
    await this.clock.runUntil(this.began + seconds * 1000);
  }

  /** What happened at the bucket from second `first` up to (without) `end`. */
  sums(first: number, end: number): Sums {
    const sums = { granted: 0, requests: 0, rejected: 0 };
    for (const second of this.bySecond.slice(first, end)) {
      sums.granted += second?.granted ?? 0;
      sums.requests += second?.requests ?? 0;
      sums.rejected += second?.rejected ?? 0;
    }
    return sums;
  }

  /** Copies that came through for `job`. */
  sentBy(job: GovernedObjectStore): number {
    return this.#sentBy.get(job) ?? 0;
  }

  /** Lets everybody come to an end. */
  async end(): Promise<void> {
    this.#stopped = true;
    await this.clock.runUntil(this.clock.now() + 60_000);
  }

  async #copyOn(job: GovernedObjectStore): Promise<void> {
    const source = { bucket: "b", key: "k", etag: "e", size: 1 };
    const request = { source, target: source, storageClass: null, onlyIfAbsent: false };
    while (!this.#stopped) {
      await job.copy(request);
      this.#sentBy.set(job, this.sentBy(job) + 1);
    }
  }

  async #deleteOn(job: GovernedObjectStore): Promise<void> {
    while (!this.#stopped) {
      const writes = job.bulkKeys("b");
      await job.reserveWrites("b", writes);
      await job.useReservation();
      const toDelete = Array.from({ length: writes }, () => ({ key: "k", etag: "e" }));
      try {
        await job.deleteObjects("b", toDelete);
      } catch {
        await this.clock.sleep(200 * this.#random());
      }
    }
  }

  #store(): ObjectStore {
    return {
      endpoint: "e",
      copy: async () => {
        await this.#write(1);
        return { kind: "copied", etag: "e" };
      },
      deleteObjects: async (_bucket: string, objects: readonly unknown[]) => {
        await this.#write(objects.length);
        return [];
      },
    } as unknown as ObjectStore;
  }

  /** Half of the latency there, with some jitter, and half of it back. */
  async #write(cost: number): Promise<void> {
    await this.clock.sleep((this.#latencyMs / 2) * (0.7 + 0.6 * this.#random()));
    const second = Math.floor((this.clock.now() - this.began) / 1000);
    this.bySecond[second] ??= { granted: 0, requests: 0, rejected: 0 };
    const sums = this.bySecond[second];
    sums.requests += 1;
    const isGranted = this.#budget.take(cost);
    if (isGranted) sums.granted += cost;
    else sums.rejected += 1;
    await this.clock.sleep(this.#latencyMs / 2);
    if (!isGranted) throw new DomainError("store_throttled", "SlowDown");
  }

  #newBudget(writesPerSecond: number): WriteBudget {
    return new WriteBudget(writesPerSecond, () => this.clock.now());
  }
}
