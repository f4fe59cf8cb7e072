/** WaitTracker: whether a job as a whole waits, with the reason and, where known, the end. */

import type { Waiting } from "../domain/job-state.ts";
import type { Hold } from "../pacing/gate.ts";
import { JobStallDetectors } from "../pacing/stall-detector.ts";
import type { Clock } from "../ports/clock.ts";

/** Interval at which a waiting worker checks again; changes of windows and approvals take effect within it. */
const ASK_AGAIN_MS = 500;

/** Counts active workers and the holds of waiting ones; the job waits when there are holds and no active worker. */
export class WaitTracker {
  /** Updated by the job's stores and databases: active workers may make no progress for lack of answers. */
  readonly stalls = new JobStallDetectors();
  readonly #clock: Clock;
  readonly #held = new Map<symbol, Waiting>();
  #working = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the job as a whole waits for; null while any worker is active and its requests are answered. */
  get waiting(): Waiting | null {
    const unanswered = this.stalls.waiting(this.#clock.now());
    if (this.#working > 0) return unanswered;
    const waits = [...this.#held.values()].sort((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity));
    const first = waits[0] ?? null;
    // A worker waits only after some failures: the wait has lasted since the first of them.
    const isSame = first !== null && first.reason === unanswered?.reason;
    return isSame ? { ...unanswered, until: first.until } : first;
  }

  /** Runs `work`, counted as an active worker. */
  async runActive<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  /** Runs `others`, not counted as active meanwhile. Call it from inside {@link runActive}. */
  async runIdle(others: () => Promise<void>): Promise<void> {
    this.#working -= 1;
    try {
      await others();
    } finally {
      this.#working += 1;
    }
  }

  /** Sleeps until `ask` gives null or `signal` aborts; its hold is shown meanwhile. Call it from inside {@link runActive}. */
  async waitWhileHeld(ask: () => Promise<Hold | null>, signal: AbortSignal): Promise<void> {
    const me = Symbol("hold");
    let since: number | null = null;
    try {
      for (;;) {
        const hold = await ask();
        if (hold === null || signal.aborted) return;
        if (since === null) this.#working -= 1;
        since ??= this.#clock.now();
        this.#held.set(me, { ...hold, since });
        const leftMs = hold.until === null ? ASK_AGAIN_MS : hold.until - this.#clock.now();
        await this.#clock.sleep(Math.max(1, Math.min(ASK_AGAIN_MS, leftMs)), signal);
      }
    } finally {
      this.#held.delete(me);
      if (since !== null) this.#working += 1;
    }
  }
}
