/** The lease of a job as its holder knows it: how long ago it was prolonged, and whether to ask before acting on it. */

import { ageMs, type Moment, momentOf } from "../../domain/evidence-age.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobRecord, Lease, Ledger, RunReport } from "../../ports/ledger.ts";

/** Heartbeats bring what operators ask for elsewhere; ten within a lease, so that one that fails is no loss. */
const HEARTBEAT_MS = 1_000;
const LEAST_HEARTBEATS = 10;

export class HeldLease {
  /** A holder that is not heard of is replaced after this long. */
  readonly lengthMs: number;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #lease: Lease;
  /** When the last renewal that succeeded was begun. */
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

  get heartbeatMs(): number {
    return Math.min(HEARTBEAT_MS, this.lengthMs / LEAST_HEARTBEATS);
  }

  /** Whether another may have taken the job over by now. */
  get isOutdated(): boolean {
    return ageMs(this.#renewed, this.#clock) > this.lengthMs;
  }

  /** Prolongs the lease; throws `lease_lost` when the job is another's. */
  async renew(report: RunReport): Promise<JobRecord> {
    const now = momentOf(this.#clock);
    const job = await this.#ledger.renew(this.#lease, report, now.wall, this.lengthMs);
    this.#renewed = now;
    return job;
  }

  /** What is asked before something is done under the lease; `renew` prolongs it. */
  questions(renew: () => Promise<unknown>) {
    return {
      /** Before what cannot be taken back: it must end within the lease. */
      confirmLease: async () => void (await this.confirm(this.lengthMs / 2, renew)),
      /** A copy may be made twice, but not without a lease; null: it is known to be held. */
      confirmCopy: () => this.confirm(this.lengthMs, renew),
      /** The last look, without asking anybody, for a process that was stopped on the way from there to the wire. */
      mayWrite: () => !this.isOutdated,
    };
  }

  /** Has `renew` called when the last renewal is older than `mostMs`, and throws what it throws; else null, at once. */
  confirm(mostMs: number, renew: () => Promise<unknown>): Promise<void> | null {
    if (ageMs(this.#renewed, this.#clock) <= mostMs) return null;
    // Hundreds of requests may want to know at once.
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
