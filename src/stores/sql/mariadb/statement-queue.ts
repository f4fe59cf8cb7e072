/** One statement at a time on a database that an application uses, and a pause after each. */

import type { Clock } from "../../../ports/clock.ts";

/** A statement that runs longer waits for a lock or for its answer rather than works: the next need not wait for it. */
const LONGEST_WORK_MS = 100;

/**
 * Runs statements in the order they were asked for. Two long ones at once would take two of the server's cores, and one
 * right after another would take one for as long as there is work; so each is followed by a pause as long as itself. At
 * least half of one core is then the application's, however fast batches come, and a server that is slow is asked less.
 */
export class StatementQueue {
  readonly #clock: Clock;
  /** Resolves when the next one may begin; never rejects. */
  #free: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` after all that was given before it, and gives what it gives. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const free = this.#free;
    this.#free = free.then(() => this.#paused(ended));
    await free;
    try {
      return await work();
    } finally {
      end();
    }
  }

  async #paused(ended: Promise<void>): Promise<void> {
    const begun = this.#clock.now();
    const awake = new AbortController();
    await Promise.race([ended, this.#clock.sleep(LONGEST_WORK_MS, awake.signal)]);
    awake.abort();
    const workedMs = this.#clock.now() - begun;
    await this.#clock.sleep(Math.max(0, Math.min(LONGEST_WORK_MS, workedMs)));
  }
}
