/** How fast a job goes: objects and bytes a second over the last half minute, by the furthest stage that works. */

import type { Tally } from "../domain/batch.ts";

const SPAN_MS = 30_000;

interface Sample {
  readonly at: number;
  readonly objects: number;
  readonly bytes: number;
}

/** Keeps a few samples of a tally; call {@link sample} about once a second. */
export class ProgressMeter {
  #samples: Sample[] = [];

  sample(tally: Tally, now: number): void {
    const objects = Math.max(tally.copied, tally.moved + tally.skipped + tally.exceptions);
    this.#samples.push({ at: now, objects, bytes: tally.bytesCopied });
    this.#samples = this.#samples.filter((sample) => now - sample.at <= SPAN_MS);
  }

  rate(): { objectsPerSecond: number; bytesPerSecond: number } {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
    if (first === undefined || last === undefined || seconds <= 0)
      return { objectsPerSecond: 0, bytesPerSecond: 0 };
    return {
      objectsPerSecond: (last.objects - first.objects) / seconds,
      bytesPerSecond: (last.bytes - first.bytes) / seconds,
    };
  }
}
