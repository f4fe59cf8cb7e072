/** A clock without real time: it jumps to the next sleeper as soon as nothing else is left to do. */

import { SharedAborts } from "../../../src/pacing/rates/shared-aborts.ts";
import type { Clock } from "../../../src/ports/clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #now: number;
  readonly #settled: () => Promise<void>;
  readonly #sleepers: Sleeper[] = [];
  readonly #aborts = new SharedAborts();
  /** When nothing runs though timers are due, as when an event loop is blocked: from (inclusive) – to, ms. */
  stalledUntil: (at: number) => number = (at) => at;

  /** @param settled resolves when nothing can go on but by the clock; {@link allTurns} unless given */
  constructor(now = 1_000_000, settled: () => Promise<void> = allTurns) {
    this.#now = now;
    this.#settled = settled;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        forget?.();
        resolve();
      };
      const forget = signal === undefined ? null : this.#aborts.on(signal, wake);
      // As setTimeout does: whole milliseconds, at least one. Woken early, it stays and wakes nobody later.
      this.#insert({ dueAt: this.#now + Math.max(1, Math.ceil(ms)), wake });
    });
  }

  /** Lets time run until `until` (absolute) with all that happens meanwhile. */
  async runUntil(until: number): Promise<void> {
    await this.#settled();
    for (;;) {
      const dueAt = this.#sleepers.at(-1)?.dueAt ?? Number.POSITIVE_INFINITY;
      if (dueAt > until) break;
      this.#now = Math.min(until, Math.max(this.#now, this.stalledUntil(dueAt)));
      while ((this.#sleepers.at(-1)?.dueAt ?? Number.POSITIVE_INFINITY) <= this.#now)
        this.#sleepers.pop()?.wake();
      await this.#settled();
    }
    this.#now = until;
  }

  /** Latest first. */
  #insert(sleeper: Sleeper): void {
    let low = 0;
    let high = this.#sleepers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sleepers[middle]?.dueAt ?? 0) > sleeper.dueAt) low = middle + 1;
      else high = middle;
    }
    this.#sleepers.splice(low, 0, sleeper);
  }
}

/** No work gives way so often without a timer, an answer or its end. */
const MOST_TURNS = 10_000;

/**
 * After all promises that can go on have gone on, those of work that gives way for a turn of the event loop included. One
 * call at a time: two would wait for each other. Throws when turns do not end.
 */
export async function allTurns(): Promise<void> {
  for (let turns = 0; turns < MOST_TURNS; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!process.getActiveResourcesInfo().includes("Immediate")) return;
  }
  throw new Error(`something still takes turns after ${MOST_TURNS} of them`);
}
