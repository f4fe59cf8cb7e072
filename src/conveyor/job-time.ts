/** A job's own time, by which its grace periods are measured: a wall clock that was set forward does not shorten them. */

import type { Clock } from "../ports/clock.ts";

/** Less than this is no step: the two clocks are read one after the other, and slow drift adds up to it in weeks. */
const TOLERANCE_MS = 1_000;

/**
 * The wall clock, less all that it was set forward by while a run was looking. It never goes faster than the monotonic
 * clock of the process and is never ahead of the wall clock, so that a wait measured by it is over only when both say so:
 *
 * | the wall clock                     | a wait that is under way                        |
 * |------------------------------------|-------------------------------------------------|
 * | is set forward by 2 h              | ends when it would have ended                   |
 * | is set back by 2 h                 | ends by the wall clock, up to 2 h later         |
 * | is set forward, and back again     | ends when it would have ended                   |
 * | was behind at the start of a run, and is put right | ends when it would have ended    |
 * | goes on while no process looks     | counts the gap by the wall clock, whatever it is |
 *
 * What it lags behind the wall clock is in the ledger, so that the next run goes on with it.
 */
export class JobTime {
  readonly #clock: Clock;
  readonly #onStep: (stepMs: number) => void;
  #lagMs: number;
  /** Wall clock minus monotonic clock, as last believed. */
  #offset: number;
  /** The clock is behind what the ledger has seen of it: so far it may be set forward without having skipped any time. */
  #behindMs: number;

  /**
   * @param lagMs milliseconds it lags behind the wall clock already, from earlier runs
   * @param seenUntil the latest time that an earlier run has put into the ledger, epoch ms
   * @param onStep told of every step that is noticed: milliseconds forward, or back where negative
   */
  constructor(
    clock: Clock,
    { lagMs, seenUntil }: { readonly lagMs: number; readonly seenUntil: number },
    onStep: (stepMs: number) => void = () => {},
  ) {
    this.#clock = clock;
    this.#lagMs = lagMs;
    this.#behindMs = Math.max(0, seenUntil - clock.now());
    this.#onStep = onStep;
    this.#offset = this.#offsetNow();
  }

  /** Milliseconds it lags behind the wall clock; 0 while the clock was never set forward. */
  get lagMs(): number {
    this.#look();
    return this.#lagMs;
  }

  /** Epoch milliseconds of the job's time. */
  now(): number {
    this.#look();
    return this.#clock.now() - this.#lagMs;
  }

  /** When the wall clock will show what is `at` in the job's time, unless it is set again. */
  onTheWall(at: number): number {
    return at + this.lagMs;
  }

  #look(): void {
    if (Math.abs(this.#offsetNow() - this.#offset) <= TOLERANCE_MS) return;
    // Again: a process that was stopped between the two readings has seen a step that was none.
    const offset = this.#offsetNow();
    const stepMs = offset - this.#offset;
    if (Math.abs(stepMs) <= TOLERANCE_MS) return;
    this.#offset = offset;
    const caughtUpMs = Math.max(0, Math.min(stepMs, this.#behindMs));
    this.#behindMs -= caughtUpMs;
    this.#lagMs = Math.max(0, this.#lagMs + stepMs - caughtUpMs);
    this.#onStep(stepMs);
  }

  #offsetNow(): number {
    return Math.round(this.#clock.now() - this.#clock.monotonic());
  }
}

/** A step of the wall clock in words; `stepMs` as {@link JobTime} tells it. */
export function stepText(stepMs: number): string {
  const seconds = Math.round(Math.abs(stepMs) / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const text = parts.flatMap((count, at) => (count === 0 ? [] : [`${count} ${["h", "min", "s"][at]}`]));
  return `the clock was set ${stepMs < 0 ? "back" : "forward"} by ${text.join(" ")}`;
}
