/** What all jobs of this process share: the rate every bucket stands, the limits of every store. */

import { RateLimit } from "../../domain/rates/rate-limit.ts";
import { BucketGovernor } from "../../pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../pacing/rates/fair-queue.ts";
import type { Sharing } from "../../pacing/rates/shared-rate-limit.ts";
import { SharedStoreLimits } from "../../pacing/rates/shared-store-limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConfiguredStoreLimits } from "../../ports/connections.ts";

/** Remembers the write rate of every bucket and the limits of every store, for all jobs of this process. */
export class BucketGovernors {
  /** By endpoint, then by bucket. */
  readonly #governors = new Map<string, Map<string, BucketGovernor>>();
  readonly #byStore = new Map<string, SharedStoreLimits>();
  readonly #sharing: Sharing | null;
  #fairQueue: FairQueue | null = null;
  /** Requests of the last looks around: for which relocation, and at what pace. */
  #looks: { readonly relocation: string; readonly rateLimit: RateLimit } | null = null;

  /** `sharing` is how the limits of stores are shared with other processes; null where there is none. */
  constructor(sharing: Sharing | null = null) {
    this.#sharing = sharing;
  }

  /** Where all jobs of this process wait for what they share, each in its turn. */
  fairQueue(clock: Clock): FairQueue {
    this.#fairQueue ??= new FairQueue(clock);
    return this.#fairQueue;
  }

  /** The pace at which to look around before `relocation` is a job: one for all looks of it. */
  rateLimitOfPreflight(relocation: string, perSecond: number | null, now: number): RateLimit {
    if (this.#looks?.relocation !== relocation)
      this.#looks = { relocation, rateLimit: new RateLimit(perSecond) };
    const { rateLimit } = this.#looks;
    // The same relocation may be looked at again with another limit.
    if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, now);
    return rateLimit;
  }

  /** The pace of a job: its first second may be the one in which it was looked around for it. */
  rateLimitOfJob(relocation: string, perSecond: number | null, now: number): RateLimit {
    if (this.#looks?.relocation !== relocation) return new RateLimit(perSecond);
    const { rateLimit } = this.#looks;
    this.#looks = null;
    if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, now);
    return rateLimit;
  }

  of(endpoint: string, bucket: string): BucketGovernor {
    // In two steps, without a name to be put together: every copy asks.
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

  /** Gives what this process has of the stores' limits to the others. */
  async close(): Promise<void> {
    await Promise.all([...this.#byStore.values()].map((limits) => limits.close()));
  }
}
