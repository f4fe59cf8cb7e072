/** A clock that steps from one sleeper's end to the next whenever nothing else is left to do. */

import type { Clock } from "../../../src/ports/clock.ts";
import { allTurns } from "./virtual-clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/** Time passes only in {@link SteppedClock.run}, and only by sleeping; several may sleep at once. */
export class SteppedClock implements Clock {
  at = 1_000_000;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper: Sleeper = { dueAt: this.at + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  /** Lets time pass until `work` is done; `onStep` is told each moment at which something happens. */
  async run<Result>(work: Promise<Result>, onStep: (at: number) => void = () => {}): Promise<Result> {
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    work.then(end, end);
    for (;;) {
      await allTurns();
      if (isDone) return work;
      const next = Math.min(...[...this.#sleepers].map(({ dueAt }) => dueAt));
      if (next === Number.POSITIVE_INFINITY) throw new Error("nobody sleeps and the work is not done");
      this.at = Math.max(this.at, next);
      for (const sleeper of [...this.#sleepers]) if (sleeper.dueAt <= this.at) sleeper.wake();
      onStep(this.at);
    }
  }
}
