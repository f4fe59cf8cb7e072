/** What all jobs of this process share: the rate every bucket stands, the limits of every store. */

import { Pace } from "../domain/pace.ts";
import { BucketGovernor } from "../pacing/bucket-governor.ts";
import { Turnstile } from "../pacing/turnstile.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoreLimits } from "../ports/connections.ts";

/** The limits of one store, as all jobs on it share them. */
export interface SharedPaces {
  readonly requests: Pace;
  readonly bytes: Pace;
}

/** Remembers the write rate of every bucket and the limits of every store, for all jobs of this process. */
export class BucketGovernors {
  readonly #byBucket = new Map<string, BucketGovernor>();
  readonly #byStore = new Map<string, SharedPaces>();
  #turnstile: Turnstile | null = null;
  /** Requests of the last looks around: for which relocation, and at what pace. */
  #looks: { readonly relocation: string; readonly pace: Pace } | null = null;

  /** Where all jobs of this process wait for what they share, each in its turn. */
  turnstile(clock: Clock): Turnstile {
    this.#turnstile ??= new Turnstile(clock);
    return this.#turnstile;
  }

  /** The pace at which to look around before `relocation` is a job: one for all looks of it. */
  paceOfLooks(relocation: string, perSecond: number | null): Pace {
    if (this.#looks?.relocation !== relocation) this.#looks = { relocation, pace: new Pace(perSecond) };
    return this.#looks.pace;
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
    const name = `${endpoint} ${bucket}`;
    const known = this.#byBucket.get(name) ?? new BucketGovernor();
    this.#byBucket.set(name, known);
    return known;
  }

  /** The paces of the store called `name`. */
  limitsOf(name: string, { requestsPerSecond, bytesPerSecond }: StoreLimits): SharedPaces {
    const known = this.#byStore.get(name) ?? {
      requests: new Pace(requestsPerSecond),
      bytes: new Pace(bytesPerSecond),
    };
    this.#byStore.set(name, known);
    return known;
  }
}
