/** What each request owes to the limits it is bound by. */

import type { Limit, RequestLimit } from "../domain/pace.ts";
import type { BucketGovernor } from "./bucket-governor.ts";
import type { Fare } from "./fare.ts";
import type { Toll } from "./turnstile.ts";

/** The limits of one job on one store. */
export interface Limits {
  /** Limits of requests a second, of the job, the store or whatever else; every request counts one. */
  readonly requestLimits: readonly RequestLimit[];
  readonly byteLimits: readonly Limit[];
  /** One governor for each bucket, shared by all jobs on the same store. */
  governorOf(bucket: string): BucketGovernor;
}

export class Dues {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** What a request with that fare must pay before it goes. */
  tolls({ bucket, writes, bytes }: Fare): Toll[] {
    const { requestLimits, byteLimits, governorOf } = this.#limits;
    const tolls: Toll[] = bucket === null ? [] : [{ limit: governorOf(bucket), units: writes }];
    for (const limit of requestLimits) tolls.push({ limit, units: 1 });
    if (bytes > 0) for (const limit of byteLimits) tolls.push({ limit, units: bytes });
    return tolls;
  }

  /** What a deletion in `bucket` must pay before evidence for it is gathered. */
  ahead(bucket: string, writes: number): Toll[] {
    const tolls: Toll[] = [{ limit: this.#limits.governorOf(bucket), units: writes }];
    for (const { ahead } of this.#limits.requestLimits) tolls.push({ limit: ahead, units: 1 });
    return tolls;
  }

  /** What one that has paid {@link Dues.ahead} must wait for when it goes. */
  going(): Toll[] {
    return this.#limits.requestLimits.map(({ going }) => ({ limit: going, units: 1 }));
  }

  /** Lets one that has paid {@link Dues.ahead} go, if the second at `now` has room for it, and tells whether it did. */
  goesNow(now: number): boolean {
    const { requestLimits } = this.#limits;
    for (const { going } of requestLimits) if (going.waitMs(1, now) > 0) return false;
    for (const { going } of requestLimits) going.take(1, now);
    return true;
  }

  /** Takes for a request that is not waited for. */
  owe(bucket: string, writes: number, now: number): void {
    const { requestLimits, governorOf } = this.#limits;
    governorOf(bucket).take(writes, now);
    for (const limit of requestLimits) limit.take(1, now);
  }

  /**
   * Pays at once, if all limits allow that at `now`, and tells whether it did: what most copies do, without a list of
   * tolls for each. Only for a request that overtakes nobody.
   */
  paysNow({ bucket, writes, bytes }: Fare, now: number): boolean {
    const { requestLimits, governorOf } = this.#limits;
    const governor = bucket === null ? null : governorOf(bucket);
    const byteLimits = bytes > 0 ? this.#limits.byteLimits : NONE;
    if (governor !== null && governor.waitMs(writes, now) > 0) return false;
    if (!allow(requestLimits, 1, now) || !allow(byteLimits, bytes, now)) return false;
    governor?.take(writes, now);
    for (const limit of requestLimits) limit.take(1, now);
    for (const limit of byteLimits) limit.take(bytes, now);
    return true;
  }
}

const NONE: readonly Limit[] = [];

function allow(limits: readonly Limit[], units: number, now: number): boolean {
  for (const limit of limits) if (limit.waitMs(units, now) > 0) return false;
  return true;
}
