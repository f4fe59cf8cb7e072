/** Clocks that tests hold in their hand: one that is pushed forward, one that moves only by being slept on. */

import type { Clock } from "../../../src/ports/clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/**
 * Runs with the machine's clock, or stands; {@link HandClock.advance} pushes it forward and wakes whoever is due by then;
 * {@link HandClock.setWall} sets the clock on the wall alone, as an administrator does, and wakes nobody.
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

/** Stands still; sleeping moves it, and `sleeps` tells how long each sleep was. */
export class SleepMovedClock implements Clock {
  at = 1_000_000;
  readonly sleeps: number[] = [];

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.sleeps.push(ms);
    this.at += Math.max(0, ms);
  }
}
