/** One limit of a store, as the jobs of this process meet it: the part of it that the processes agree is this one's. */

import { type Limit, RateLimit, type RequestLimit } from "../../domain/rates/rate-limit.ts";
import { StoreDemand } from "./store-demand.ts";
import { StoreShare, type StoreShareParts } from "./store-share.ts";

/** How a share of a limit is agreed on with other processes. */
export type Sharing = Omit<StoreShareParts, "name" | "onShare" | "wants">;

/** One for each limit of each store. */
export class SharedRateLimit {
  readonly #rateLimit: RateLimit;
  /** Null where there is nothing to share, or nobody to share it with. */
  readonly #shared: { readonly share: StoreShare; readonly demand: StoreDemand } | null;

  /**
   * @param name unlike that of any other limit, and the same in all processes
   * @param perSecond the whole limit, units a second; null is no limit
   * @param sharing null: the whole limit is this process'
   */
  constructor(name: string, perSecond: number | null, sharing: Sharing | null) {
    const rateLimit = new RateLimit(perSecond);
    this.#rateLimit = rateLimit;
    if (sharing === null || perSecond === null) {
      this.#shared = null;
      return;
    }
    const demand = new StoreDemand(perSecond);
    const share = new StoreShare({
      ...sharing,
      name,
      // Without a share nothing goes, whatever the pace.
      onShare: (part) => {
        if (part > 0) rateLimit.setRate(perSecond * part, sharing.clock.now());
      },
      wants: (now) => demand.wants(now),
    });
    this.#shared = { share, demand };
  }

  /** The limit for `job`, any object that stands for it: the shares of processes go by how many jobs they have. */
  of(job: object): RequestLimit {
    const rateLimit = this.#rateLimit;
    if (this.#shared === null) return rateLimit;
    const { share, demand } = this.#shared;
    const shared = (limit: Limit, counts: boolean): Limit => ({
      waitMs: (units, now) => {
        const waitMs = Math.max(share.waitMs(job, now), limit.waitMs(units, now));
        if (waitMs > 0) demand.waited(now);
        return waitMs;
      },
      take: (units, now) => {
        if (counts) demand.took(units);
        limit.take(units, now);
      },
    });
    // What is paid ahead was counted then.
    return {
      ...shared(rateLimit, true),
      reservation: shared(rateLimit.reservation, true),
      dispatch: shared(rateLimit.dispatch, false),
    };
  }

  /** Gives what this process has of the limit to the others. */
  async close(): Promise<void> {
    await this.#shared?.share.close();
  }
}
