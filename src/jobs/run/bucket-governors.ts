/** What all jobs of this process share: the write rate of each bucket, the limits of each store, and the queue for both. */

import { RateLimit } from "../../domain/rates/rate-limit.ts";
import { BucketGovernor } from "../../pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../pacing/rates/fair-queue.ts";
import type { Sharing } from "../../pacing/rates/shared-rate-limit.ts";
import { SharedStoreLimits } from "../../pacing/rates/shared-store-limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConfiguredStoreLimits } from "../../ports/connections.ts";

/** One for a process. */
export class BucketGovernors {
  /** By endpoint, then by bucket. */
  readonly #governors = new Map<string, Map<string, BucketGovernor>>();
  readonly #byStore = new Map<string, SharedStoreLimits>();
  readonly #sharing: Sharing | null;
  #fairQueue: FairQueue | null = null;
  /** The relocation and the rate limit of the last preflight. */
  #preflight: { readonly relocation: string; readonly rateLimit: RateLimit } | null = null;

  /** @param sharing how the limits of stores are shared with other processes; null where there is none */
  constructor(sharing: Sharing | null = null) {
    this.#sharing = sharing;
  }

  /** The queue in which all jobs of this process wait for their limits. */
  fairQueue(clock: Clock): FairQueue {
    this.#fairQueue ??= new FairQueue(clock);
    return this.#fairQueue;
  }

  /** The limit of requests of a preflight of `relocation`: one for all its preflights, until a job of it begins. */
  preflightRateLimit(relocation: string, perSecond: number | null, now: number): RateLimit {
    if (this.#preflight?.relocation !== relocation)
      this.#preflight = { relocation, rateLimit: new RateLimit(perSecond) };
    const { rateLimit } = this.#preflight;
    // The same relocation may be submitted again with another limit.
    if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, now);
    return rateLimit;
  }

  /** The limit of requests of a job: its first second may overlap with that of its preflight, so it goes on with that limit. */
  jobRateLimit(relocation: string, perSecond: number | null, now: number): RateLimit {
    if (this.#preflight?.relocation !== relocation) return new RateLimit(perSecond);
    const { rateLimit } = this.#preflight;
    this.#preflight = null;
    if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, now);
    return rateLimit;
  }

  /** The governor of a bucket, by the endpoint of its store. */
  of(endpoint: string, bucket: string): BucketGovernor {
    // Two maps, without a combined key to allocate: called for every copy.
    const ofStore = this.#governors.get(endpoint) ?? new Map<string, BucketGovernor>();
    const known = ofStore.get(bucket);
    if (known !== undefined) return known;
    const added = new BucketGovernor();
    this.#governors.set(endpoint, ofStore.set(bucket, added));
    return added;
  }

  /** The limits of the store called `name`. */
  limitsOf(name: string, limits: ConfiguredStoreLimits): SharedStoreLimits {
    const known = this.#byStore.get(name) ?? new SharedStoreLimits(name, limits, this.#sharing);
    this.#byStore.set(name, known);
    return known;
  }

  /** Gives this process's shares of the stores' limits up. */
  async close(): Promise<void> {
    await Promise.all([...this.#byStore.values()].map((limits) => limits.close()));
  }
}
