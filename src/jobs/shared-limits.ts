/** What all jobs of this process share: the rate every bucket stands, the limits of every store. */

import { Pace } from "../domain/pace.ts";
import { BucketGovernor } from "../pacing/bucket-governor.ts";
import type { Sharing } from "../pacing/shared-pace.ts";
import { StoreLimits } from "../pacing/store-limits.ts";
import { Turnstile } from "../pacing/turnstile.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoreLimits as Configured } from "../ports/connections.ts";

/** Remembers the write rate of every bucket and the limits of every store, for all jobs of this process. */
export class BucketGovernors {
  /** By endpoint, then by bucket. */
  readonly #governors = new Map<string, Map<string, BucketGovernor>>();
  readonly #byStore = new Map<string, StoreLimits>();
  readonly #sharing: Sharing | null;
  #turnstile: Turnstile | null = null;
  /** Requests of the last looks around: for which relocation, and at what pace. */
  #looks: { readonly relocation: string; readonly pace: Pace } | null = null;

  /** `sharing` is how the limits of stores are shared with other processes; null where there is none. */
  constructor(sharing: Sharing | null = null) {
    this.#sharing = sharing;
  }

  /** Where all jobs of this process wait for what they share, each in its turn. */
  turnstile(clock: Clock): Turnstile {
    this.#turnstile ??= new Turnstile(clock);
    return this.#turnstile;
  }

  /** The pace at which to look around before `relocation` is a job: one for all looks of it. */
  paceOfLooks(relocation: string, perSecond: number | null, now: number): Pace {
    if (this.#looks?.relocation !== relocation) this.#looks = { relocation, pace: new Pace(perSecond) };
    const { pace } = this.#looks;
    // The same relocation may be looked at again with another limit.
    if (pace.perSecond !== perSecond) pace.setRate(perSecond, now);
    return pace;
  }

  /** The pace of a job: its first second may be the one in which it was looked around for it. */
  paceOfJob(relocation: string, perSecond: number | null, now: number): Pace {
    if (this.#looks?.relocation !== relocation) return new Pace(perSecond);
    const { pace } = this.#looks;
    this.#looks = null;
    if (pace.perSecond !== perSecond) pace.setRate(perSecond, now);
    return pace;
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
  limitsOf(name: string, limits: Configured): StoreLimits {
    const known = this.#byStore.get(name) ?? new StoreLimits(name, limits, this.#sharing);
    this.#byStore.set(name, known);
    return known;
  }

  /** Gives what this process has of the stores' limits to the others. */
  async close(): Promise<void> {
    await Promise.all([...this.#byStore.values()].map((limits) => limits.close()));
  }
}
