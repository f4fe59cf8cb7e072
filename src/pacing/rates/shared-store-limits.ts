/** The limits of one store: common to all jobs of this process, and shared with other processes where there are any. */

import type { Limit, RequestLimit } from "../../domain/rates/rate-limit.ts";
import type { ConfiguredStoreLimits } from "../../ports/connections.ts";
import { SharedRateLimit, type Sharing } from "./shared-rate-limit.ts";

/** The limits of a store for one job. */
interface JobStoreLimits {
  readonly requests: RequestLimit;
  readonly bytes: Limit;
}

/** One for each store. */
export class SharedStoreLimits {
  readonly #requests: SharedRateLimit;
  readonly #bytes: SharedRateLimit;

  constructor(
    store: string,
    { requestsPerSecond, bytesPerSecond }: ConfiguredStoreLimits,
    sharing: Sharing | null,
  ) {
    this.#requests = new SharedRateLimit(`requests ${store}`, requestsPerSecond, sharing);
    this.#bytes = new SharedRateLimit(`bytes ${store}`, bytesPerSecond, sharing);
  }

  /** The limits for `job`, any object that stands for it. */
  of(job: object): JobStoreLimits {
    return { requests: this.#requests.of(job), bytes: this.#bytes.of(job) };
  }

  /** Gives the shares up. */
  async close(): Promise<void> {
    await Promise.all([this.#requests.close(), this.#bytes.close()]);
  }
}
