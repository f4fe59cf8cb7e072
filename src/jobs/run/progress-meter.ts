/** How fast a job goes: objects and bytes a second over the last half minute, copying and settling apart. */

import type { Limits } from "../../domain/job-spec.ts";
import type { Tally } from "../../domain/tally.ts";

const SPAN_MS = 30_000;
/** Before so long has been measured since a wait, the rate from before it says more. */
const TELLING_MS = 5_000;

interface Sample {
  readonly at: number;
  readonly copied: number;
  readonly settled: number;
  readonly bytes: number;
}

export interface Rate {
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** What estimates are reckoned from: how it went when it last went. */
export interface Pulse {
  /** Objects a second that were copied, and that were settled once all were copied; 0 while not known. */
  readonly copiedPerSecond: number;
  readonly settledPerSecond: number;
  /** The limits in force when that was measured; null while nothing was. */
  readonly limits: Limits | null;
  /** When rows were last updated in this run, epoch ms: grace counts from there. Null while none were. */
  readonly updatedAt: number | null;
}

/** Objects that copying is through with, whatever became of them. */
export function copiedSoFar(tally: Tally): number {
  const { planned, copied, skipped, exceptions } = tally;
  return Math.max(settledSoFar(tally), Math.min(planned, copied + skipped + exceptions));
}

/** Objects that the job is through with. */
export function settledSoFar({ moved, skipped, exceptions }: Tally): number {
  return moved + skipped + exceptions;
}

/** Keeps a few samples of a tally; call {@link sample} about once a second. */
export class ProgressMeter {
  #samples: Sample[] = [];
  #pulse: Pulse = { copiedPerSecond: 0, settledPerSecond: 0, limits: null, updatedAt: null };
  #updated: number | null = null;

  /** `isWaiting`: nothing moves, and nothing is measured. `limits`: those in force at `now`. */
  sample(tally: Tally, now: number, isWaiting: boolean, limits: Limits): void {
    if (this.#updated !== null && tally.updated > this.#updated)
      this.#pulse = { ...this.#pulse, updatedAt: now };
    this.#updated = tally.updated;
    if (isWaiting) {
      this.#samples = [];
      return;
    }
    const [copied, settled] = [copiedSoFar(tally), settledSoFar(tally)];
    this.#samples.push({ at: now, copied, settled, bytes: tally.bytesCopied });
    this.#samples = this.#samples.filter((sample) => now - sample.at <= SPAN_MS);
    this.#feel(now, copied < tally.planned, limits);
  }

  get pulse(): Pulse {
    return this.#pulse;
  }

  /** The rate at which it goes now: of copying, or, where nothing is copied, of settling; 0 while it waits. */
  rate(): Rate {
    const { copied, settled, bytes } = this.#perSecond();
    return { objectsPerSecond: copied > 0 ? copied : settled, bytesPerSecond: bytes };
  }

  #feel(now: number, isCopying: boolean, limits: Limits): void {
    const measuredMs = now - (this.#samples[0]?.at ?? now);
    const { copied, settled } = this.#perSecond();
    const { copiedPerSecond, settledPerSecond } = this.#pulse;
    const isTelling = (known: number) => measuredMs >= TELLING_MS || known === 0;
    if (isCopying && copied > 0 && isTelling(copiedPerSecond))
      this.#pulse = { ...this.#pulse, copiedPerSecond: copied, limits };
    if (!isCopying && settled > 0 && isTelling(settledPerSecond))
      this.#pulse = { ...this.#pulse, settledPerSecond: settled };
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
