/** The lease of a job as its holder knows it: how long ago it was prolonged, and whether to ask before acting on it. */

import type { Clock } from "../ports/clock.ts";
import type { JobRecord, Lease, Ledger, RunReport } from "../ports/ledger.ts";

/** Heartbeats bring what operators ask for elsewhere; ten within a lease, so that one that fails is no loss. */
const HEARTBEAT_MS = 1_000;
const LEAST_HEARTBEATS = 10;

export class HeldLease {
  /** A holder that is not heard of is replaced after this long. */
  readonly lengthMs: number;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #lease: Lease;
  /** When the last renewal that succeeded was begun, on the wall and on the monotonic clock. */
  #renewed: { readonly at: number; readonly monotonic: number };
  #confirming: Promise<void> | null = null;

  constructor(
    parts: { readonly ledger: Ledger; readonly clock: Clock; readonly leaseMs: number },
    lease: Lease,
  ) {
    this.#ledger = parts.ledger;
    this.#clock = parts.clock;
    this.#lease = lease;
    this.lengthMs = parts.leaseMs;
    this.#renewed = this.#reading();
  }

  get heartbeatMs(): number {
    return Math.min(HEARTBEAT_MS, this.lengthMs / LEAST_HEARTBEATS);
  }

  /** Whether another may have taken the job over by now. */
  get isOutdated(): boolean {
    return this.#ageMs() > this.lengthMs;
  }

  /** Prolongs the lease; throws `lease_lost` when the job is another's. */
  async renew(report: RunReport): Promise<JobRecord> {
    const now = this.#reading();
    const job = await this.#ledger.renew(this.#lease, report, now.at, this.lengthMs);
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
    if (this.#ageMs() <= mostMs) return null;
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

  /**
   * The greater age of the two clocks' counts: others go by the wall clock, which may have been set back since, and this
   * one's monotonic clock may have stood still while the machine slept. Without bound when it seems negative.
   */
  #ageMs(): number {
    const { at, monotonic } = this.#reading();
    const age = at - this.#renewed.at;
    return age < 0 ? Number.POSITIVE_INFINITY : Math.max(age, monotonic - this.#renewed.monotonic);
  }

  #reading() {
    return { at: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }
}
