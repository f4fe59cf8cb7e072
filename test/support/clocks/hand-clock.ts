/** A clock that tests move by hand. */

import type { Clock } from "../../../src/ports/clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/**
 * Runs with the machine's clock, or stands; {@link HandClock.advance} pushes it forward and wakes all that are due by then;
 * {@link HandClock.setWall} sets the clock on the wall alone, as an administrator does, and wakes none.
 */
export class HandClock implements Clock {
  readonly #stands: boolean;
  #ahead = 0;
  #wallAhead = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(kind: "runs" | "stands" = "runs") {
    this.#stands = kind === "stands";
  }

  now(): number {
    return (this.#stands ? 1_000_000 : Date.now()) + this.#ahead + this.#wallAhead;
  }

  monotonic(): number {
    return (this.#stands ? 0 : performance.now()) + this.#ahead;
  }

  /** Sets the wall clock `ms` forward, or back where negative. */
  setWall(ms: number): void {
    this.#wallAhead += ms;
  }

  advance(ms: number): void {
    this.#ahead += ms;
    for (const sleeper of [...this.#sleepers]) if (sleeper.dueAt <= this.monotonic()) sleeper.wake();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper: Sleeper = { dueAt: this.monotonic() + ms, wake };
      const timer = this.#stands ? undefined : setTimeout(wake, Math.min(ms, 2 ** 31 - 1));
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }
}
