/** Samples the health of a database on demand, at most once a second, and keeps the last sample. */

import { messageOf } from "../../domain/errors.ts";
import type { DatabaseHealth, HealthSample } from "../../ports/database-health.ts";

const SAMPLE_INTERVAL_MS = 1000;
/** An older sample is not used. */
const OUTDATED_AFTER_MS = 5000;

/** What is known of the database at some moment. */
export interface HealthReading {
  /** Null when nothing recent is known. */
  readonly sample: HealthSample | null;
  /** Milliseconds since the last answered sample was begun; null when there was none. */
  readonly ageMs: number | null;
  /** Why the last sample failed; null when it did not, or is still in flight. */
  readonly failure: string | null;
}

/** It has no timer: only {@link HealthCollector.want} samples, so without statements to send the database is not queried. */
export class HealthCollector {
  readonly #health: DatabaseHealth;
  readonly #now: () => number;
  #sample: HealthSample | null = null;
  /** When the last answered sample was begun. */
  #sampledAt: number | null = null;
  /** When the last sample was begun. */
  #begunAt: number | null = null;
  #failure: string | null = null;
  #inFlight: Promise<void> | null = null;

  constructor(health: DatabaseHealth, now: () => number) {
    this.#health = health;
    this.#now = now;
  }

  /** What is known at this moment; synchronous. */
  get known(): HealthReading {
    const ageMs = this.#sampledAt === null ? null : this.#since(this.#sampledAt);
    const isRecent = ageMs !== null && ageMs <= OUTDATED_AFTER_MS;
    return { sample: isRecent ? this.#sample : null, ageMs, failure: this.#failure };
  }

  /** Begins a sample if the last one was begun a second ago; gives the one in flight, which never rejects, or null. */
  want(ask: { readonly replicaLag: boolean }): Promise<void> | null {
    const isDue = this.#begunAt === null || this.#since(this.#begunAt) >= SAMPLE_INTERVAL_MS;
    if (this.#inFlight === null && isDue) {
      this.#begunAt = this.#now();
      this.#inFlight = this.#sampleOnce(ask, this.#begunAt).finally(() => {
        this.#inFlight = null;
      });
    }
    return this.#inFlight;
  }

  /** Makes the next {@link HealthCollector.want} begin a sample: other measures are to be read. */
  expire(): void {
    this.#begunAt = null;
  }

  async #sampleOnce(ask: { readonly replicaLag: boolean }, at: number): Promise<void> {
    try {
      this.#sample = await this.#health.sample(ask);
      this.#sampledAt = at;
      this.#failure = null;
    } catch (error) {
      this.#failure = messageOf(error);
    }
  }

  /** Infinite where the clock was set back since. */
  #since(at: number): number {
    const ms = this.#now() - at;
    return ms < 0 ? Number.POSITIVE_INFINITY : ms;
  }
}
