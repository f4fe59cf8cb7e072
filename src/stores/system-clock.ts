/** The machine's clock. */

import { setMaxListeners } from "node:events";
import type { Clock } from "../ports/clock.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && !signal?.aborted; left -= LONGEST_TIMER_MS) {
      await sleepOnce(Math.min(left, LONGEST_TIMER_MS), signal);
    }
  },
};

/** A longer timer fires after 1 ms (Node.js documentation, `setTimeout`: the delay is a signed 32-bit number). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // Every waiting request of a job listens to one signal: hundreds are no leak.
  if (signal !== undefined) setMaxListeners(0, signal);
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
