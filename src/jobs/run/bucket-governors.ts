/** `BucketGovernors`: what all jobs of this process share, the write rate of each bucket and the limits of each store. */

import { RateLimit } from "../../domain/rates/rate-limit.ts";
import { BucketGovernor } from "../../pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../pacing/rates/fair-queue.ts";
import type { Sharing } from "../../pacing/rates/shared-rate-limit.ts";
import { StoreLimits } from "../../pacing/rates/store-limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoreLimits as Configured } from "../../ports/connections.ts";

/** Holds one governor for each bucket, one set of limits for each store, and the fair queue, for all jobs of this process. */
export class BucketGovernors {
  /** By endpoint, then by bucket. */
  readonly #governors = new Map<string, Map<string, BucketGovernor>>();
  readonly #byStore = new Map<string, StoreLimits>();
  readonly #sharing: Sharing | null;
  #fairQueue: FairQueue | null = null;
  /** The rate limit that the last preflight or submission used, and its relocation. */
  #preflight: { readonly relocation: string; readonly rateLimit: RateLimit } | null = null;

  /** `sharing` is how the limits of stores are shared with other processes; null where there is none. */
  constructor(sharing: Sharing | null = null) {
    this.#sharing = sharing;
  }

  /** The queue in which requests of all jobs of this process wait for shared limits. */
  fairQueue(clock: Clock): FairQueue {
    this.#fairQueue ??= new FairQueue(clock);
    return this.#fairQueue;
  }

  /** The rate limit of preflight and submission of `relocation`, shared by all their requests; `perSecond` null: none. */
  preflightRateLimit(relocation: string, perSecond: number | null, now: number): RateLimit {
    if (this.#preflight?.relocation !== relocation)
      this.#preflight = { relocation, rateLimit: new RateLimit(perSecond) };
    const { rateLimit } = this.#preflight;
    // A preflight of the same relocation may be repeated with another limit.
    if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, now);
    return rateLimit;
  }

  /** The rate limit of a job of `relocation`: the one its submission used, whose requests count in the job's first second. */
  jobRateLimit(relocation: string, perSecond: number | null, now: number): RateLimit {
    if (this.#preflight?.relocation !== relocation) return new RateLimit(perSecond);
    const { rateLimit } = this.#preflight;
    this.#preflight = null;
    if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, now);
    return rateLimit;
  }

  /** The governor of the writes to `bucket` at `endpoint`. */
  of(endpoint: string, bucket: string): BucketGovernor {
    // Nested maps instead of a joined key: called for each copy, and must not allocate.
    const ofStore = this.#governors.get(endpoint) ?? new Map<string, BucketGovernor>();
    const known = ofStore.get(bucket);
    if (known !== undefined) return known;
    const added = new BucketGovernor();
    this.#governors.set(endpoint, ofStore.set(bucket, added));
    return added;
  }

  /** The limits of the store called `name`. */
  limitsOf(name: string, limits: Configured): StoreLimits {
    const known = this.#byStore.get(name) ?? new StoreLimits(name, limits, this.#sharing);
    this.#byStore.set(name, known);
    return known;
  }

  /** Returns this process's shares of the stores' limits, so that other processes can use them. */
  async close(): Promise<void> {
    await Promise.all([...this.#byStore.values()].map((limits) => limits.close()));
  }
}
