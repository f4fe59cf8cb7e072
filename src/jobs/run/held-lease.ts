/** `HeldLease`: a job's lease as its holder knows it, and the checks before something is done under it. */

import { ageMs, type Moment, momentOf } from "../../domain/evidence-age.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobRecord, Lease, Ledger, RunReport } from "../../ports/ledger.ts";

/** Heartbeats also fetch operators' actions. At least ten fit in a lease, so that a few may fail. */
const HEARTBEAT_MS = 1_000;
const LEAST_HEARTBEATS = 10;

/** All ages are measured from the start of the last successful renewal, by both the wall and the monotonic clock. */
export class HeldLease {
  /** Duration of the lease from each renewal. */
  readonly lengthMs: number;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #lease: Lease;
  /** Start of the last successful renewal. */
  #renewed: Moment;
  #confirming: Promise<void> | null = null;

  constructor(
    parts: { readonly ledger: Ledger; readonly clock: Clock; readonly leaseMs: number },
    lease: Lease,
  ) {
    this.#ledger = parts.ledger;
    this.#clock = parts.clock;
    this.#lease = lease;
    this.lengthMs = parts.leaseMs;
    this.#renewed = momentOf(parts.clock);
  }

  /** Interval between renewals. */
  get heartbeatMs(): number {
    return Math.min(HEARTBEAT_MS, this.lengthMs / LEAST_HEARTBEATS);
  }

  /** Whether another process may have claimed the job by now. */
  get isOutdated(): boolean {
    return ageMs(this.#renewed, this.#clock) > this.lengthMs;
  }

  /** Renews the lease and gives the job's record; throws `lease_lost` when another process has claimed the job. */
  async renew(report: RunReport): Promise<JobRecord> {
    const now = momentOf(this.#clock);
    const job = await this.#ledger.renew(this.#lease, report, now.wall, this.lengthMs);
    this.#renewed = now;
    return job;
  }

  /** The checks before something is done under the lease; `renew` renews it. All throw what `renew` throws. */
  checks(renew: () => Promise<unknown>) {
    return {
      /** Before changes of rows and deletions, which must end within the lease. */
      confirmLease: async () => void (await this.confirm(this.lengthMs / 2, renew)),
      /** Before a copy, which may be repeated but needs a lease; null: it is known to be held. */
      confirmCopy: () => this.confirm(this.lengthMs, renew),
      /** By the clock alone, just before sending: the process may have been suspended since the checks above. */
      mayWrite: () => !this.isOutdated,
    };
  }

  /** Calls `renew` when the last renewal is older than `mostMs`, and throws what it throws; else gives null at once. */
  confirm(mostMs: number, renew: () => Promise<unknown>): Promise<void> | null {
    if (ageMs(this.#renewed, this.#clock) <= mostMs) return null;
    // Hundreds of requests may check at once: they share one renewal.
    this.#confirming ??= this.#confirmBy(renew);
    return this.#confirming;
  }

  async #confirmBy(renew: () => Promise<unknown>): Promise<void> {
    try {
      await renew();
    } finally {
      this.#confirming = null;
    }
  }
}
