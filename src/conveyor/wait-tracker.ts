/** What the conveyor is held up by, and whether anything moves at all: a wait always has its reason and its end. */

import type { Waiting } from "../domain/job-state.ts";
import type { Hold } from "../pacing/gate.ts";
import { JobStallDetectors } from "../pacing/stall-detector.ts";
import type { Clock } from "../ports/clock.ts";

/** How long a held worker sleeps before it asks again; changes of windows and approvals are seen within it. */
const ASK_AGAIN_MS = 500;

/** Keeps track of working and held workers; the job waits when some are held and none works. */
export class WaitTracker {
  /** Told by the job's stores and databases: those at work may stand still all the same. */
  readonly stalls = new JobStallDetectors();
  readonly #clock: Clock;
  readonly #held = new Map<symbol, Waiting>();
  #working = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the job as a whole waits for; null while any worker has something to do and is answered. */
  get waiting(): Waiting | null {
    const unanswered = this.stalls.waiting(this.#clock.now());
    if (this.#working > 0) return unanswered;
    const waits = [...this.#held.values()].sort((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity));
    const first = waits[0] ?? null;
    // A worker is held only after a while of failures: the wait is as long as they are.
    const isSame = first !== null && first.reason === unanswered?.reason;
    return isSame ? { ...unanswered, until: first.until } : first;
  }

  /** Counts `work` as a working worker until it ends. */
  async runActive<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  /** Counts a working worker as one that does nothing while it waits for others. Call it from inside {@link runActive}. */
  async runIdle(others: () => Promise<void>): Promise<void> {
    this.#working -= 1;
    try {
      await others();
    } finally {
      this.#working += 1;
    }
  }

  /** Sleeps until `ask` holds no more or `signal` aborts; the hold is shown meanwhile. Call it from inside {@link runActive}. */
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
