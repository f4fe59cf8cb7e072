/** EngineRequests: sends requests to AWS and repeats those that found no usable answer. */

import { DomainError, hasCode } from "../../domain/errors.ts";
import { backoffMs } from "../../domain/rates/backoff.ts";
import type { Clock } from "../../ports/clock.ts";
import { engineFault } from "./engine-faults.ts";

const BACKOFF = { firstMs: 200, mostMs: 5_000 } as const;

/** Sends requests that may be repeated; an instance serves any number of them at once. */
export class EngineRequests {
  readonly #clock: Clock;
  readonly #patienceMs: number;

  /** `patienceMs`: how long after the first attempt a further one may begin. */
  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /**
   * What `attempt` gives. Each attempt must make its own command: the SDK's commands may be sent once only. Throws `stopped`
   * as soon as `signal` aborts, `engine_refused`, and `engine_unavailable` after repeating.
   */
  async send<Result>(
    doing: string,
    signal: AbortSignal,
    attempt: (abortSignal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const until = this.#clock.monotonic() + this.#patienceMs;
    for (let count = 1; ; count += 1) {
      throwIfStopped(signal);
      try {
        return await attemptUntil(signal, attempt);
      } catch (error) {
        throwIfStopped(signal);
        const fault = engineFault(error, doing);
        if (!hasCode(fault, "engine_unavailable") || this.#clock.monotonic() >= until) throw fault;
        await this.#clock.sleep(backoffMs(BACKOFF, count, 0.5 + Math.random() / 2), signal);
      }
    }
  }
}

/** Throws `stopped` when `signal` is aborted. */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
}

/** A signal of its own for each request: listeners that a client leaves behind must not gather on one that lives for hours. */
async function attemptUntil<Result>(
  signal: AbortSignal,
  attempt: (abortSignal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const request = new AbortController();
  const abort = () => request.abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await attempt(request.signal);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
