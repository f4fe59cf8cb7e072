/** A clock without real time: it jumps to the next sleeper as soon as nothing else is left to do. */

import { SharedAborts } from "../../../src/pacing/rates/shared-aborts.ts";
import type { Clock } from "../../../src/ports/clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
  isAwake: boolean;
}

/**
 * Time passes only by sleeping; several may sleep at once. A clock that is `driven` moves in {@link VirtualClock.run} and
 * {@link VirtualClock.runUntil}, one that is `free` whenever something sleeps.
 */
export class VirtualClock implements Clock {
  /** Wall clock and monotonic clock, ms; tests may set it while nothing sleeps. */
  at: number;
  /** How long each sleep was to be, ms. */
  readonly sleeps: number[] = [];
  readonly #settled: () => Promise<void>;
  readonly #isFree: boolean;
  #isMoving = false;
  /** Latest first. */
  readonly #sleepers: Sleeper[] = [];
  readonly #aborts = new SharedAborts();
  /** When nothing runs though timers are due, as when an event loop is blocked: from (inclusive) – to, ms. */
  stalledUntil: (at: number) => number = (at) => at;

  /** @param settled resolves when nothing can go on but by the clock; {@link untilIdle} unless given */
  constructor(at = 1_000_000, kind: "driven" | "free" = "driven", settled: () => Promise<void> = untilIdle) {
    this.at = at;
    this.#isFree = kind === "free";
    this.#settled = settled;
  }

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    this.sleeps.push(ms);
    const slept = new Promise<void>((resolve) => {
      const sleeper: Sleeper = {
        // As setTimeout does: whole milliseconds.
        dueAt: this.at + Math.ceil(ms),
        isAwake: false,
        wake: () => {
          sleeper.isAwake = true;
          forget?.();
          resolve();
        },
      };
      const forget = signal === undefined ? null : this.#aborts.on(signal, sleeper.wake);
      this.#insert(sleeper);
    });
    if (this.#isFree && !this.#isMoving) void this.#moveOn();
    return slept;
  }

  /** Lets time run until `until` (absolute) with all that happens meanwhile. */
  async runUntil(until: number): Promise<void> {
    await this.#settled();
    while (this.#step(until)) await this.#settled();
    this.at = until;
  }

  /** Lets time pass until `work` is done; `onStep` is told each moment at which something happens. */
  async run<Result>(work: Promise<Result>, onStep: (at: number) => void = () => {}): Promise<Result> {
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    work.then(end, end);
    for (await this.#settled(); !isDone; await this.#settled()) {
      if (!this.#step(Number.POSITIVE_INFINITY)) throw new Error("nothing sleeps and the work is not done");
      onStep(this.at);
    }
    return work;
  }

  async #moveOn(): Promise<void> {
    this.#isMoving = true;
    do await this.#settled();
    while (this.#step(Number.POSITIVE_INFINITY));
    this.#isMoving = false;
  }

  /** Moves to the next sleepers that are due by `until` and wakes them; false: there is none. */
  #step(until: number): boolean {
    while (this.#sleepers.at(-1)?.isAwake) this.#sleepers.pop();
    const dueAt = this.#sleepers.at(-1)?.dueAt ?? Number.POSITIVE_INFINITY;
    if (dueAt > until || dueAt === Number.POSITIVE_INFINITY) return false;
    this.at = Math.min(until, Math.max(this.at, this.stalledUntil(dueAt)));
    while ((this.#sleepers.at(-1)?.dueAt ?? Number.POSITIVE_INFINITY) <= this.at)
      this.#sleepers.pop()?.wake();
    return true;
  }

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

/** Calls of {@link untilIdle} that wait: what they schedule is no work. */
let waiting = 0;

/**
 * After all promises that can go on have gone on, those of work that yields to the event loop included. Throws when work
 * still yields after `withinMs` of real time.
 */
export async function untilIdle(withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  waiting += 1;
  try {
    do {
      await new Promise((resolve) => setImmediate(resolve));
      const scheduled = process.getActiveResourcesInfo().filter((name) => name === "Immediate").length;
      if (scheduled < waiting) return;
    } while (performance.now() < deadline);
  } finally {
    waiting -= 1;
  }
  throw new Error(`something still yields to the event loop after ${withinMs} ms`);
}
