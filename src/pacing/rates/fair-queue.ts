/** Where requests wait for their limits: in order, fairly between jobs, on one timer for all. */

import type { Limit } from "../../domain/rates/rate-limit.ts";
import type { Clock } from "../../ports/clock.ts";

/** A limit and what passing costs of it. */
export interface Charge {
  readonly limit: Limit;
  readonly units: number;
}

interface Waiter {
  readonly charges: readonly Charge[];
  readonly signal: AbortSignal | undefined;
  readonly pass: () => void;
}

/** Limits may be raised or lowered while somebody waits: seen within this time. */
const LOOK_AGAIN_MS = 250;
/** Nobody is let pass more often than this: it saves timers, and the limits' credit makes up for it. */
const LEAST_SLEEP_MS = 2;

/** A queue of its own, first come first served; the lanes of a fair queue share what they have in common equally. */
export class Flow {
  readonly waiters: Waiter[] = [];
  /** Units of the first charge that passed, counted so that a lane that was empty does not catch up on the others. */
  served = 0;
}

/**
 * Lets requests pass when all their limits allow it at that moment, and takes from all of them at once: what waits for
 * one limit uses nothing up of another. Cheap where nothing waits: no timer, no queue.
 */
export class FairQueue {
  readonly #clock: Clock;
  /** Lanes in which somebody waits. */
  readonly #flows = new Set<Flow>();
  readonly #listenedTo = new WeakSet<AbortSignal>();
  #served = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #sleep: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether nobody waits: whoever finds his limits open now overtakes nobody. */
  get isFree(): boolean {
    return this.#flows.size === 0;
  }

  /** Resolves when `charges` are paid, or, with nothing paid, when `signal` aborts: the caller looks at it. */
  pass(flow: Flow, charges: readonly Charge[], signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return PASSED;
    if (this.isFree && waitMs(charges, this.#clock.now()) === 0) {
      acquire(charges, this.#clock.now());
      return PASSED;
    }
    if (signal !== undefined) this.#listenTo(signal);
    return new Promise((pass) => {
      flow.waiters.push({ charges, signal, pass });
      if (flow.waiters.length > 1) return;
      flow.served = Math.max(flow.served, this.#served);
      this.#flows.add(flow);
      this.#letPass();
    });
  }

  /** Lets pass whoever may, then sleeps until the next may. */
  #letPass(): void {
    for (;;) {
      const now = this.#clock.now();
      const { next, soonestMs } = this.#choose(now);
      const waiter = next?.waiters.shift();
      if (next === null || waiter === undefined) {
        this.#sleepFor(soonestMs, now);
        return;
      }
      if (next.waiters.length === 0) this.#flows.delete(next);
      this.#served = Math.max(this.#served, next.served);
      next.served += waiter.charges[0]?.units ?? 0;
      acquire(waiter.charges, now);
      waiter.pass();
    }
  }

  /** Of the lanes whose first may pass, the one that was served least; and when anybody may. */
  #choose(now: number): { readonly next: Flow | null; readonly soonestMs: number } {
    let next: Flow | null = null;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const flow of this.#flows) {
      const ms = waitMs(flow.waiters[0]?.charges ?? [], now);
      if (ms === 0 && (next === null || flow.served < next.served)) next = flow;
      soonestMs = Math.min(soonestMs, ms);
    }
    return { next, soonestMs };
  }

  #sleepFor(soonestMs: number, now: number): void {
    if (this.#flows.size === 0) return;
    const ms = Math.max(LEAST_SLEEP_MS, Math.min(LOOK_AGAIN_MS, soonestMs));
    if (this.#sleep !== null && this.#wakeAt <= now + ms) return;
    this.#sleep?.abort();
    const sleep = new AbortController();
    this.#sleep = sleep;
    this.#wakeAt = now + ms;
    void this.#clock.sleep(ms, sleep.signal).then(() => {
      if (this.#sleep !== sleep) return;
      this.#sleep = null;
      this.#letPass();
    });
  }

  /** One listener for all that wait with one signal: hundreds of a job's requests do. */
  #listenTo(signal: AbortSignal): void {
    if (this.#listenedTo.has(signal)) return;
    this.#listenedTo.add(signal);
    signal.addEventListener("abort", () => this.#dismiss(signal), { once: true });
  }

  #dismiss(signal: AbortSignal): void {
    for (const flow of this.#flows) {
      const gone = flow.waiters.filter((waiter) => waiter.signal === signal);
      const staying = flow.waiters.filter((waiter) => waiter.signal !== signal);
      flow.waiters.splice(0, flow.waiters.length, ...staying);
      if (staying.length === 0) this.#flows.delete(flow);
      for (const { pass } of gone) pass();
    }
  }
}

const PASSED = Promise.resolve();

function acquire(charges: readonly Charge[], now: number): void {
  for (const { limit, units } of charges) limit.take(units, now);
}

function waitMs(charges: readonly Charge[], now: number): number {
  let longest = 0;
  for (const { limit, units } of charges) longest = Math.max(longest, limit.waitMs(units, now));
  return longest;
}
