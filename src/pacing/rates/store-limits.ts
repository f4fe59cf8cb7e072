/** The limits of one store: shared by all jobs of this process, and with other processes where there are any. */

import type { Limit, RequestLimit } from "../../domain/rates/rate-limit.ts";
import type { StoreLimits as Configured } from "../../ports/connections.ts";
import { SharedRateLimit, type Sharing } from "./shared-rate-limit.ts";

/** The limits of a store, as one job meets them. */
export interface JobStoreLimits {
  readonly requests: RequestLimit;
  readonly bytes: Limit;
}

/** One for each store. Requests and bytes are shared apart: who is short of one may have plenty of the other. */
export class StoreLimits {
  readonly #requests: SharedRateLimit;
  readonly #bytes: SharedRateLimit;

  constructor(store: string, { requestsPerSecond, bytesPerSecond }: Configured, sharing: Sharing | null) {
    this.#requests = new SharedRateLimit(`requests ${store}`, requestsPerSecond, sharing);
    this.#bytes = new SharedRateLimit(`bytes ${store}`, bytesPerSecond, sharing);
  }

  /** The limits for `job`, any object that stands for it. */
  of(job: object): JobStoreLimits {
    return { requests: this.#requests.of(job), bytes: this.#bytes.of(job) };
  }

  /** Gives what this process has of the limits to the others. */
  async close(): Promise<void> {
    await Promise.all([this.#requests.close(), this.#bytes.close()]);
  }
}
