/** The queue of requests that wait for their limits: in order within a flow, fair between flows, with one timer for all. */

import type { Limit } from "../../domain/rates/rate-limit.ts";
import type { Clock } from "../../ports/clock.ts";

/** A limit and the units that a request takes from it. */
export interface Charge {
  readonly limit: Limit;
  readonly units: number;
}

interface Waiter {
  readonly charges: readonly Charge[];
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
}

/** Longest sleep: limits may be raised or lowered while requests wait. */
const MAX_SLEEP_MS = 250;
/** Shortest sleep: saves timers; the limits' burst allowance makes up for it. */
const MIN_SLEEP_MS = 2;

/** Requests that are served first in, first out; flows that wait for a common limit get equal parts of it. */
export class Flow {
  readonly waiters: Waiter[] = [];
  /** Virtual time: units of the first charges that were admitted, raised for a flow that was empty so that it does not catch up. */
  served = 0;
}

/**
 * Admits a request when all its limits allow it at the same moment, and takes from all of them at once: a request that waits
 * for one limit takes nothing from another. Where nothing waits it costs neither a timer nor a queue entry.
 */
export class FairQueue {
  readonly #clock: Clock;
  /** Flows in which requests wait. */
  readonly #flows = new Set<Flow>();
  readonly #listenedTo = new WeakSet<AbortSignal>();
  #served = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #sleep: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether no request waits: one whose limits allow it now overtakes none. */
  get isFree(): boolean {
    return this.#flows.size === 0;
  }

  /** Resolves when `charges` are taken, or, with nothing taken, when `signal` aborts: the caller checks it. */
  acquire(flow: Flow, charges: readonly Charge[], signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return RESOLVED;
    if (this.isFree && waitMs(charges, this.#clock.now()) === 0) {
      takeAll(charges, this.#clock.now());
      return RESOLVED;
    }
    if (signal !== undefined) this.#listenTo(signal);
    return new Promise((resolve) => {
      flow.waiters.push({ charges, signal, resolve });
      if (flow.waiters.length > 1) return;
      flow.served = Math.max(flow.served, this.#served);
      this.#flows.add(flow);
      this.#admit();
    });
  }

  /** Admits all requests that their limits allow now, then sleeps until they allow the next. */
  #admit(): void {
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
      takeAll(waiter.charges, now);
      waiter.resolve();
    }
  }

  /** Of the flows whose first request is allowed, the least served one; and the shortest wait of all flows. */
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
    const ms = Math.max(MIN_SLEEP_MS, Math.min(MAX_SLEEP_MS, soonestMs));
    if (this.#sleep !== null && this.#wakeAt <= now + ms) return;
    this.#sleep?.abort();
    const sleep = new AbortController();
    this.#sleep = sleep;
    this.#wakeAt = now + ms;
    void this.#clock.sleep(ms, sleep.signal).then(() => {
      if (this.#sleep !== sleep) return;
      this.#sleep = null;
      this.#admit();
    });
  }

  /** One listener for all requests that wait with one signal: hundreds of a job's do. */
  #listenTo(signal: AbortSignal): void {
    if (this.#listenedTo.has(signal)) return;
    this.#listenedTo.add(signal);
    signal.addEventListener("abort", () => this.#dismiss(signal), { once: true });
  }

  #dismiss(signal: AbortSignal): void {
    for (const flow of this.#flows) {
      const dismissed = flow.waiters.filter((waiter) => waiter.signal === signal);
      const remaining = flow.waiters.filter((waiter) => waiter.signal !== signal);
      flow.waiters.splice(0, flow.waiters.length, ...remaining);
      if (remaining.length === 0) this.#flows.delete(flow);
      for (const { resolve } of dismissed) resolve();
    }
  }
}

const RESOLVED = Promise.resolve();

function takeAll(charges: readonly Charge[], now: number): void {
  for (const { limit, units } of charges) limit.take(units, now);
}

function waitMs(charges: readonly Charge[], now: number): number {
  let longest = 0;
  for (const { limit, units } of charges) longest = Math.max(longest, limit.waitMs(units, now));
  return longest;
}
