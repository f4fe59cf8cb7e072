/** JobTime: the time by which a job's grace periods are measured; setting the wall clock forward does not shorten them. */

import type { Clock } from "../ports/clock.ts";

/** Smaller differences are no step: the two clocks are read one after the other, and slow drift reaches it only in weeks. */
const TOLERANCE_MS = 1_000;

/**
 * The wall clock minus all forward steps observed by a run. It never advances faster than the monotonic clock of the process
 * and is never ahead of the wall clock, so that a wait measured by it ends only when it has ended by both:
 *
 * | the wall clock                                     | a current wait                             |
 * |----------------------------------------------------|--------------------------------------------|
 * | is set forward by 2 h                              | ends when it would have ended              |
 * | is set back by 2 h                                 | ends by the wall clock, up to 2 h later    |
 * | is set forward, and back again                     | ends when it would have ended              |
 * | was behind at the start of a run, and is corrected | ends when it would have ended              |
 * | runs while no process observes it                  | counts that time by the wall clock         |
 *
 * Its lag behind the wall clock is recorded in the ledger and continued by the next run.
 */
export class JobTime {
  readonly #clock: Clock;
  readonly #onStep: (stepMs: number) => void;
  #lagMs: number;
  /** Wall clock minus monotonic clock after the last step, ms. */
  #offset: number;
  /** How far the wall clock is behind the latest time in the ledger, ms: forward steps up to this are corrections. */
  #behindMs: number;

  /**
   * @param lagMs lag behind the wall clock from earlier runs, ms
   * @param seenUntil the latest time that an earlier run has recorded in the ledger, epoch ms
   * @param onStep called for every observed step: milliseconds forward, negative for back
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

  /** Lag behind the wall clock, ms; 0 while no forward step was observed. */
  get lagMs(): number {
    this.#detectStep();
    return this.#lagMs;
  }

  /** Epoch milliseconds of the job's time. */
  now(): number {
    this.#detectStep();
    return this.#clock.now() - this.#lagMs;
  }

  /** The wall clock's time at which the job's time will be `at`, unless the clock is set again; both epoch ms. */
  onTheWall(at: number): number {
    return at + this.lagMs;
  }

  #detectStep(): void {
    if (Math.abs(this.#offsetNow() - this.#offset) <= TOLERANCE_MS) return;
    // Read again: a process that was suspended between the two readings observes a step that did not happen.
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

/** A step of the wall clock in words; `stepMs` as passed to `onStep` of {@link JobTime}. */
export function stepText(stepMs: number): string {
  const seconds = Math.round(Math.abs(stepMs) / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const text = parts.flatMap((count, at) => (count === 0 ? [] : [`${count} ${["h", "min", "s"][at]}`]));
  return `the clock was set ${stepMs < 0 ? "back" : "forward"} by ${text.join(" ")}`;
}
