/** One limit of a store for the jobs of this process: the part of it that is this process's share. */

import { type Limit, RateLimit, type RequestLimit } from "../../domain/rates/rate-limit.ts";
import { StoreShare, type StoreShareParts } from "./store-share.ts";

/** How shares are agreed on with other processes. */
export type Sharing = Omit<StoreShareParts, "name" | "onShare">;

/** One for each limit of each store. */
export class SharedRateLimit {
  readonly #rateLimit: RateLimit;
  /** Null where there is no limit or no other process. */
  readonly #share: StoreShare | null;

  /**
   * @param name unique among limits, and the same in all processes
   * @param perSecond the whole limit, units a second; null is no limit
   * @param sharing null: no other process works with the ledger
   */
  constructor(name: string, perSecond: number | null, sharing: Sharing | null) {
    const rateLimit = new RateLimit(perSecond);
    this.#rateLimit = rateLimit;
    this.#share = null;
    if (sharing === null || perSecond === null) return;
    const onShare = (share: number) => {
      // Without a share nothing is sent, whatever the rate.
      if (share > 0) rateLimit.setRate(perSecond * share, sharing.clock.now());
    };
    this.#share = new StoreShare({ ...sharing, name, onShare });
  }

  /** The limit for `job`, any object that stands for it: shares are counted in jobs. */
  of(job: object): RequestLimit {
    const [rateLimit, share] = [this.#rateLimit, this.#share];
    if (share === null) return rateLimit;
    const shared = (limit: Limit): Limit => ({
      waitMs: (units, now) => Math.max(share.waitMs(job, now), limit.waitMs(units, now)),
      take: (units, now) => limit.take(units, now),
    });
    return {
      ...shared(rateLimit),
      reservation: shared(rateLimit.reservation),
      dispatch: shared(rateLimit.dispatch),
    };
  }

  /** Gives the share up. */
  async close(): Promise<void> {
    await this.#share?.close();
  }
}
