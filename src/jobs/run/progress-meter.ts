/** `ProgressMeter`: objects and bytes a second over the last 30 s, copying and settling apart. */

import type { Limits } from "../../domain/job-spec.ts";
import type { Tally } from "../../domain/tally.ts";

const SPAN_MS = 30_000;
/** Time to measure after a wait before the new rate replaces the one from before it. */
const RELIABLE_MS = 5_000;

interface Sample {
  readonly at: number;
  readonly copied: number;
  readonly settled: number;
  readonly bytes: number;
}

/** The present rate of a job. */
export interface Rate {
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** The rates last measured while the job worked, for estimates. */
export interface MeasuredRates {
  /** Objects a second that were copied, and that were settled once all were copied; 0 while unknown. */
  readonly copiedPerSecond: number;
  readonly settledPerSecond: number;
  /** The limits in force at that measurement; null before the first. */
  readonly limits: Limits | null;
  /** When rows were last updated in this run, epoch ms, which is when grace begins; null before the first. */
  readonly updatedAt: number | null;
}

/** Objects that need no copy any more: copied, skipped, or exceptions. */
export function copiedSoFar(tally: Tally): number {
  const { planned, copied, skipped, exceptions } = tally;
  return Math.max(settledSoFar(tally), Math.min(planned, copied + skipped + exceptions));
}

/** Objects with a final outcome. */
export function settledSoFar({ moved, skipped, exceptions }: Tally): number {
  return moved + skipped + exceptions;
}

/** Keeps a few samples of a tally; call {@link sample} about once a second. */
export class ProgressMeter {
  #samples: Sample[] = [];
  #measured: MeasuredRates = { copiedPerSecond: 0, settledPerSecond: 0, limits: null, updatedAt: null };
  #updated: number | null = null;

  /** Takes a sample at `now` (epoch ms). `isWaiting`: nothing is measured. `limits`: those in force at `now`. */
  sample(tally: Tally, now: number, isWaiting: boolean, limits: Limits): void {
    if (this.#updated !== null && tally.updated > this.#updated)
      this.#measured = { ...this.#measured, updatedAt: now };
    this.#updated = tally.updated;
    if (isWaiting) {
      this.#samples = [];
      return;
    }
    const [copied, settled] = [copiedSoFar(tally), settledSoFar(tally)];
    this.#samples.push({ at: now, copied, settled, bytes: tally.bytesCopied });
    this.#samples = this.#samples.filter((sample) => now - sample.at <= SPAN_MS);
    this.#updateMeasured(now, copied < tally.planned, limits);
  }

  /** The rates for estimates. */
  get measured(): MeasuredRates {
    return this.#measured;
  }

  /** The present rate: of copying, or, where nothing is copied, of settling; 0 while the job waits. */
  rate(): Rate {
    const { copied, settled, bytes } = this.#perSecond();
    return { objectsPerSecond: copied > 0 ? copied : settled, bytesPerSecond: bytes };
  }

  #updateMeasured(now: number, isCopying: boolean, limits: Limits): void {
    const measuredMs = now - (this.#samples[0]?.at ?? now);
    const { copied, settled } = this.#perSecond();
    const { copiedPerSecond, settledPerSecond } = this.#measured;
    const isReliable = (known: number) => measuredMs >= RELIABLE_MS || known === 0;
    if (isCopying && copied > 0 && isReliable(copiedPerSecond))
      this.#measured = { ...this.#measured, copiedPerSecond: copied, limits };
    if (!isCopying && settled > 0 && isReliable(settledPerSecond))
      this.#measured = { ...this.#measured, settledPerSecond: settled };
  }

  #perSecond(): { copied: number; settled: number; bytes: number } {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
    if (first === undefined || last === undefined || seconds <= 0) return { copied: 0, settled: 0, bytes: 0 };
    return {
      copied: (last.copied - first.copied) / seconds,
      settled: (last.settled - first.settled) / seconds,
      bytes: (last.bytes - first.bytes) / seconds,
    };
  }
}
