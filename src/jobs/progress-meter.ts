/** How fast a job goes: objects and bytes a second over the last half minute, by the furthest stage that works. */

import type { Tally } from "../domain/batch.ts";

const SPAN_MS = 30_000;

interface Sample {
  readonly at: number;
  readonly objects: number;
  readonly bytes: number;
}

/** Before so long has been measured since a wait, the rate from before it says more. */
const TELLING_MS = 5_000;

export interface Rate {
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
}

const STANDSTILL: Rate = { objectsPerSecond: 0, bytesPerSecond: 0 };

/** Keeps a few samples of a tally; call {@link sample} about once a second. */
export class ProgressMeter {
  #samples: Sample[] = [];
  #working: Rate = STANDSTILL;

  /** `isWaiting`: nothing moves, and nothing is measured. */
  sample(tally: Tally, now: number, isWaiting: boolean): void {
    if (isWaiting) {
      this.#samples = [];
      return;
    }
    const objects = Math.max(tally.copied, tally.moved + tally.skipped + tally.exceptions);
    this.#samples.push({ at: now, objects, bytes: tally.bytesCopied });
    this.#samples = this.#samples.filter((sample) => now - sample.at <= SPAN_MS);
    const measuredMs = now - (this.#samples[0]?.at ?? now);
    if (measuredMs >= TELLING_MS || this.#working === STANDSTILL) this.#working = this.rate();
  }

  /** The rate at which it went when it last went. */
  get workingRate(): Rate {
    return this.#working;
  }

  /** The rate at which it goes now; 0 while it waits. */
  rate(): Rate {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
    if (first === undefined || last === undefined || seconds <= 0) return STANDSTILL;
    return {
      objectsPerSecond: (last.objects - first.objects) / seconds,
      bytesPerSecond: (last.bytes - first.bytes) / seconds,
    };
  }
}
