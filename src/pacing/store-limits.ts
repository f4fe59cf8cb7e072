/** The limits of one store: shared by all jobs of this process, and with other processes where there are any. */

import { type Limit, Pace, type RequestLimit } from "../domain/pace.ts";
import type { StoreLimits as Configured } from "../ports/connections.ts";
import { StoreDemand } from "./store-demand.ts";
import { StoreShare, type StoreShareParts } from "./store-share.ts";

/** The limits of a store, as one job meets them. */
export interface JobStoreLimits {
  readonly requests: RequestLimit;
  readonly bytes: Limit;
}

/** How a share of the limits is agreed on with other processes. */
export type Sharing = Omit<StoreShareParts, "store" | "onShare" | "wants">;

/** One for each store. */
export class StoreLimits {
  readonly #requests: Pace;
  readonly #bytes: Pace;
  /** Null where there is nothing to share, or nobody to share it with. */
  readonly #share: StoreShare | null;
  readonly #requestDemand: StoreDemand | null;
  readonly #byteDemand: StoreDemand | null;

  constructor(store: string, { requestsPerSecond, bytesPerSecond }: Configured, sharing: Sharing | null) {
    this.#requests = new Pace(requestsPerSecond);
    this.#bytes = new Pace(bytesPerSecond);
    this.#requestDemand = requestsPerSecond === null ? null : new StoreDemand(requestsPerSecond);
    this.#byteDemand = bytesPerSecond === null ? null : new StoreDemand(bytesPerSecond);
    const isLimited = requestsPerSecond !== null || bytesPerSecond !== null;
    if (sharing === null || !isLimited) {
      this.#share = null;
      return;
    }
    this.#share = new StoreShare({
      ...sharing,
      store,
      onShare: (share) => {
        const now = sharing.clock.now();
        // Without a share nothing goes, whatever the pace.
        if (share === 0) return;
        if (requestsPerSecond !== null) this.#requests.setRate(requestsPerSecond * share, now);
        if (bytesPerSecond !== null) this.#bytes.setRate(bytesPerSecond * share, now);
      },
      wants: (now) => Math.max(this.#requestDemand?.wants(now) ?? 0, this.#byteDemand?.wants(now) ?? 0),
    });
  }

  /** The limits for `job`, any object that stands for it: the shares of processes go by how many jobs they have. */
  of(job: object): JobStoreLimits {
    const [requests, bytes] = [this.#requests, this.#bytes];
    const share = this.#share;
    if (share === null) return { requests, bytes };
    const shared = (limit: Limit, demand: StoreDemand | null, takes: boolean): Limit => ({
      waitMs: (units, now) => {
        const waitMs = Math.max(share.waitMs(job, now), limit.waitMs(units, now));
        if (waitMs > 0) demand?.waited(now);
        return waitMs;
      },
      take: (units, now) => {
        if (takes) demand?.took(units);
        limit.take(units, now);
      },
    });
    const demand = this.#requestDemand;
    return {
      requests: {
        ...shared(requests, demand, true),
        // What is paid ahead was counted then.
        ahead: shared(requests.ahead, demand, true),
        going: shared(requests.going, demand, false),
      },
      bytes: shared(bytes, this.#byteDemand, true),
    };
  }

  /** Gives what this process has of the limits to the others. */
  async close(): Promise<void> {
    await this.#share?.close();
  }
}
