/** DeferredBatches: batches whose sources may not be deleted yet; they wait in the ledger, not in memory. */

import type { Hold } from "../pacing/gate.ts";
import { stepText } from "./job-time.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Whether the ledger has deferred batches, and when the first of them is due. The ledger is queried only when that can have
 * changed: a job without a grace period costs no statement here.
 */
export class DeferredBatches {
  readonly #run: RunContext;
  /** Whether the ledger must be queried: at the start (an earlier run may have deferred batches), and after changes. */
  #stale = true;
  #earliest: number | null = null;
  #closed = false;

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** A batch was deferred. */
  defer(): void {
    if (this.#earliest === null) this.#stale = true;
  }

  /** The deferred batches have changed: the ledger is queried next time. */
  invalidate(): void {
    this.#stale = true;
  }

  /** No more batches will be deferred. */
  close(): void {
    this.#closed = true;
    this.#stale = true;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  async isEmpty(): Promise<boolean> {
    if (this.#stale) {
      this.#stale = false;
      const { ledger, lease } = this.#run;
      this.#earliest = await ledger.earliestUpdated(lease.jobId);
    }
    return this.#earliest === null;
  }

  /** Why the earliest deferred batch may not be deleted now; null when it may. */
  async hold(): Promise<Hold | null> {
    const { gate, clock, graceMs, time } = this.#run;
    const until = (this.#earliest ?? 0) + graceMs;
    if (until > time.now()) {
      const steps = time.lagMs === 0 ? "" : `; ${stepText(time.lagMs)}, which does not shorten it`;
      const detail = `sources are kept until the grace period is over${steps}`;
      return { reason: "grace", until: time.onTheWall(until), detail };
    }
    return gate.ask({ stage: "delete", at: clock.now() });
  }
}
