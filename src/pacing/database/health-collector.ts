/** Looks at a database's health while somebody wants to know, at most once a second, and keeps what it saw. */

import { messageOf } from "../../domain/errors.ts";
import type { DatabaseHealth, HealthSample } from "../../ports/database-health.ts";

const LOOK_EVERY_MS = 1000;
/** What is older says nothing about now. */
const OUTDATED_AFTER_MS = 5000;

/** What is known of the database at some moment. */
export interface HealthReading {
  /** Null when nothing recent is known. */
  readonly sample: HealthSample | null;
  /** Milliseconds since the last answer was asked for; null when there was none. */
  readonly ageMs: number | null;
  /** Why the last look gave no answer; null when it did or is still under way. */
  readonly failure: string | null;
}

/** It keeps no timer: whoever wants to know keeps it going, and without statements to send the database is left alone. */
export class HealthCollector {
  readonly #health: DatabaseHealth;
  readonly #now: () => number;
  #sample: HealthSample | null = null;
  /** When the look that gave the sample was begun. */
  #sampledAt: number | null = null;
  #lookedAt: number | null = null;
  #failure: string | null = null;
  #look: Promise<void> | null = null;

  constructor(health: DatabaseHealth, now: () => number) {
    this.#health = health;
    this.#now = now;
  }

  /** What is known at this moment; at once. */
  get known(): HealthReading {
    const ageMs = this.#sampledAt === null ? null : this.#since(this.#sampledAt);
    const isRecent = ageMs !== null && ageMs <= OUTDATED_AFTER_MS;
    return { sample: isRecent ? this.#sample : null, ageMs, failure: this.#failure };
  }

  /** Begins a look if the last one was begun a second ago; gives the one under way, which never rejects, or null. */
  want(ask: { readonly replicaLag: boolean }): Promise<void> | null {
    const isDue = this.#lookedAt === null || this.#since(this.#lookedAt) >= LOOK_EVERY_MS;
    if (this.#look === null && isDue) {
      this.#lookedAt = this.#now();
      this.#look = this.#lookOnce(ask, this.#lookedAt).finally(() => {
        this.#look = null;
      });
    }
    return this.#look;
  }

  /** Makes the next wish a look: what is to be asked has changed. */
  lookAgain(): void {
    this.#lookedAt = null;
  }

  async #lookOnce(ask: { readonly replicaLag: boolean }, at: number): Promise<void> {
    try {
      this.#sample = await this.#health.sample(ask);
      this.#sampledAt = at;
      this.#failure = null;
    } catch (error) {
      this.#failure = messageOf(error);
    }
  }

  /** A clock that was set back makes everything old. */
  #since(at: number): number {
    const ms = this.#now() - at;
    return ms < 0 ? Number.POSITIVE_INFINITY : ms;
  }
}
