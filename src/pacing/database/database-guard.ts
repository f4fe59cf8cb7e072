/** Holds a job's statements while a database is over a limit, and spaces them out as it comes near one. */

import { DomainError } from "../../domain/errors.ts";
import type { DatabaseLimits } from "../../domain/job-spec.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DatabaseHealth, HealthMeasure, MissingRight } from "../../ports/database-health.ts";
import type { Hold } from "../gate.ts";
import { SharedAborts } from "../rates/shared-aborts.ts";
import type { Throttler } from "../throttler.ts";
import { gapMs, isTripped, type Load, loadsOf, releaseValue, restMs } from "./database-load.ts";
import { HealthCollector, type HealthReading } from "./health-collector.ts";

/** Weight of the newest statement in the average of their times. */
const NEWEST_WEIGHT = 0.2;
/** Longest sleep within a delay: limits may change meanwhile. */
const MAX_SLEEP_MS = 250;
/** A sample that takes longer is not waited for: the throttler holds, with the reason. */
const MAX_SAMPLE_MS = 5000;

const NAMES: Readonly<Record<HealthMeasure, string>> = {
  threadsRunning: "Threads_running",
  replicaLagSeconds: "replica lag in seconds",
  lockWaits: "the number of transactions waiting for a row lock",
};

/** The limit that is set for each measure, by its name in a job's guards. */
export const LIMIT_NAMES = {
  threadsRunning: "maxThreadsRunning",
  replicaLagSeconds: "maxReplicaLagSeconds",
  lockWaits: "maxLockWaits",
} as const satisfies Record<HealthMeasure, keyof DatabaseLimits>;

export interface DatabaseGuardParts {
  readonly health: DatabaseHealth;
  readonly clock: Clock;
  /** Null: the guard holds nothing, and the database is not sampled. */
  readonly limits: DatabaseLimits | null;
  /** Called once for each right that is missing and needed for a limit. */
  onMissingRight(missing: MissingRight): void;
}

/** One for each database of a job; all statements to its tables are admitted by it. */
export class DatabaseGuard {
  readonly database: string;
  readonly #clock: Clock;
  readonly #collector: HealthCollector;
  readonly #onMissingRight: (missing: MissingRight) => void;
  readonly #aborts = new SharedAborts();
  readonly #reported = new Set<string>();
  readonly #tripped = new Set<HealthMeasure>();
  #limits: DatabaseLimits | null;
  /** When the last statement was admitted, epoch ms. */
  #begunAt: number | null = null;
  /** When the last statement ended, and how long no other may begin since. */
  #endedAt: number | null = null;
  #restMs = 0;
  /** Exponentially weighted average of the statements' times. */
  #averageMs = 0;

  constructor({ health, clock, limits, onMissingRight }: DatabaseGuardParts) {
    this.database = health.database;
    this.#clock = clock;
    this.#limits = limits;
    this.#onMissingRight = onMissingRight;
    this.#collector = new HealthCollector(health, () => clock.now());
  }

  /** Uses other limits from now on. */
  setLimits(limits: DatabaseLimits | null): void {
    const askedBefore = asksForLag(this.#limits);
    this.#limits = limits;
    if (asksForLag(limits) && !askedBefore) this.#collector.expire();
  }

  /** Why no statement may begin now; an observation for a {@link Throttler}. Synchronous; begins a sample when one is due. */
  readonly observe = (): Hold | null => {
    const limits = this.#limits;
    if (limits === null) return null;
    void this.#sample();
    const known = this.#collector.known;
    if (known.sample === null) return this.#hold(silenceText(known));
    const forbidden = this.#forbidden(known.sample.missingRights, limits);
    if (forbidden !== null) return this.#hold(forbidden);
    // All loads are updated, though only the first is told.
    const tripped = loadsOf(known.sample, limits).filter((load) => this.#trips(load));
    const first = tripped[0];
    return first === undefined ? null : this.#hold(loadText(first, known.sample.replica));
  };

  /** How long the next statement still has to wait at `at`, whole ms; 0 for none. */
  delayMs(at: number): number {
    if (this.#limits === null) return 0;
    const gapLeft = this.#gapMs(this.#limits) - sinceOr(this.#begunAt, at);
    const restLeft = this.#restMs - sinceOr(this.#endedAt, at);
    return Math.ceil(Math.max(0, gapLeft, restLeft));
  }

  /**
   * Resolves when a statement may begin: `throttler` (which should have this guard's observation) is open, and gap and rest
   * after the statement before are over. Throws `stopped` when `signal` aborts.
   */
  async admit(throttler: Throttler, signal: AbortSignal): Promise<void> {
    await throttler.whileRateLimited(() => this.#freshSample(signal));
    for (;;) {
      await throttler.whenOpen(signal);
      // The throttler checks the signal only while closed, and a call of many statements must stop between two of them.
      if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
      const delayMs = this.delayMs(this.#clock.now());
      if (delayMs <= 0) break;
      await throttler.whileRateLimited(() => this.#clock.sleep(Math.min(delayMs, MAX_SLEEP_MS), signal));
    }
    // Synchronously after the check: of several statements that waited for the same gap only one may begin.
    this.#begunAt = this.#clock.now();
  }

  /** An admitted statement ended at `at` after `ms`, with or without an error. */
  ended(at: number, ms: number): void {
    this.#averageMs += NEWEST_WEIGHT * (ms - this.#averageMs);
    const left = this.#restMs - sinceOr(this.#endedAt, at);
    this.#endedAt = at;
    this.#restMs = Math.max(left, restMs(ms), restMs(this.#averageMs));
  }

  #sample(): Promise<void> | null {
    return this.#limits === null ? null : this.#collector.want({ replicaLag: asksForLag(this.#limits) });
  }

  /** Waits for a sample that is at most a second old: it takes milliseconds. */
  async #freshSample(signal: AbortSignal): Promise<void> {
    const sample = this.#sample();
    if (sample === null || signal.aborted) return;
    const over = new AbortController();
    const forget = this.#aborts.on(signal, () => over.abort());
    await Promise.race([sample, this.#clock.sleep(MAX_SAMPLE_MS, over.signal)]).finally(forget);
    over.abort();
  }

  #gapMs(limits: DatabaseLimits): number {
    const { sample } = this.#collector.known;
    if (sample === null) return 0;
    return Math.max(0, ...loadsOf(sample, limits).map(({ load }) => gapMs(load)));
  }

  #trips(load: Load): boolean {
    const trips = isTripped(load, this.#tripped.has(load.measure));
    if (trips) this.#tripped.add(load.measure);
    else this.#tripped.delete(load.measure);
    return trips;
  }

  /** Reports each right that is missing for a limit once; gives the reason to hold for the first, unless `onUnknown` is "go". */
  #forbidden(missingRights: readonly MissingRight[], limits: DatabaseLimits): string | null {
    const needed = missingRights.filter(({ measure }) => limits[LIMIT_NAMES[measure]] !== null);
    for (const missing of needed) {
      const name = `${missing.server} ${missing.measure}`;
      if (!this.#reported.has(name)) this.#onMissingRight(missing);
      this.#reported.add(name);
    }
    const first = needed[0];
    if (first === undefined || limits.onUnknown === "go") return null;
    const { measure, server, right, grant } = first;
    return `${NAMES[measure]} cannot be read on ${server}: the account lacks the right ${right}; run: ${grant}`;
  }

  #hold(detail: string): Hold {
    return { reason: "database", until: null, detail: `database "${this.database}": ${detail}` };
  }
}

function asksForLag(limits: DatabaseLimits | null): boolean {
  return limits !== null && limits.maxReplicaLagSeconds !== null;
}

function silenceText({ ageMs, failure }: HealthReading): string {
  const why = failure === null ? "" : ` (${failure})`;
  if (ageMs === null || !Number.isFinite(ageMs)) return `nothing is known of its health yet${why}`;
  return `it has not answered a question for its health for ${Math.round(ageMs / 1000)} s${why}`;
}

function loadText(load: Load, replica: { server: string; trouble: string | null } | null): string {
  const { measure, value, limit } = load;
  if (measure === "replicaLagSeconds" && replica?.trouble != null) {
    return `${replica.trouble}; the limit is ${limit} s of lag`;
  }
  const name = measure === "replicaLagSeconds" ? `${NAMES[measure]} on ${replica?.server}` : NAMES[measure];
  if (value > limit) return `${name} is ${value}, the limit is ${limit}`;
  return `${name} is ${value} after having been above the limit of ${limit}; it goes on at ${releaseValue(load)}`;
}

/** Milliseconds from `since` to `at`; infinite for null, and where the clock was set back since. */
function sinceOr(since: number | null, at: number): number {
  return since === null || since > at ? Number.POSITIVE_INFINITY : at - since;
}
