/** Notices that a job stands still because its stores reject all it asks for. */

import type { Waiting } from "../domain/job-state.ts";

/** So long nothing may move before it is called a wait. */
const STILL_MS = 2_000;

/** What the stores of one job answered last. */
export class Throttling {
  #since: number | null = null;

  /** A request was rejected for being too much. */
  rejected(now: number): void {
    this.#since ??= now;
  }

  /** A request was served. */
  moved(): void {
    this.#since = null;
  }

  /** Shown to the operator when for two seconds nothing was served and something was rejected; else null. */
  waiting(now: number): Waiting | null {
    const since = this.#since;
    if (since === null || now - since < STILL_MS) return null;
    return {
      reason: "throttled",
      since,
      until: null,
      detail: "the store rejects every request for being too many (503, 429)",
    };
  }
}
