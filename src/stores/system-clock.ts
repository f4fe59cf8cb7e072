/** `SystemClock`: wall and monotonic time of this machine, and cancellable sleep. */

import { SharedAborts } from "../pacing/rates/shared-aborts.ts";
import type { Clock } from "../ports/clock.ts";

/** Longest delay of a timer: a longer one fires after 1 ms (Node.js documentation of `setTimeout`: a signed 32-bit number). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class SystemClock implements Clock {
  readonly #aborts = new SharedAborts();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    for (let left = ms; left > 0 && !signal?.aborted; left -= LONGEST_TIMER_MS) {
      await this.#sleepOnce(Math.min(left, LONGEST_TIMER_MS), signal);
    }
  }

  #sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        forget?.();
        resolve();
      };
      const timer = setTimeout(wake, ms);
      const forget = signal === undefined ? null : this.#aborts.on(signal, wake);
    });
  }
}

export const systemClock: Clock = new SystemClock();
