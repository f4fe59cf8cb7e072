/** What may change while a job runs (limits, windows, guards), held where stores, tables and stages look at it. */

import { canonicalJson } from "../../domain/canonical-json.ts";
import type { JobSpec, Limits, WorkStage } from "../../domain/job-spec.ts";
import type { Waiting } from "../../domain/job-state.ts";
import { RateLimit } from "../../domain/rates/rate-limit.ts";
import { type Concurrency, limitConcurrency } from "../../pacing/concurrency.ts";
import { DatabaseGuards } from "../../pacing/database/database-guards.ts";
import { InFlight } from "../../pacing/in-flight.ts";
import { type Observation, Throttler } from "../../pacing/throttler.ts";
import { WindowGate } from "../../pacing/window-gate.ts";
import type { MissingRight } from "../../ports/database-health.ts";
import type { JobParts } from "../job-parts.ts";

/** How settings reach a run; see {@link LiveSettings.apply}. */
export interface Settings {
  readonly spec: JobSpec;
  readonly windowsIgnoredUntil: number | null;
}

/**
 * So long nothing may have been under way before a wait of some requests is the wait of the job: batches are recorded and
 * leases confirmed between requests.
 */
const STILL_MS = 400;

const BOUND: readonly WorkStage[] = ["copy", "update", "delete"];

/** Rows change hundreds at a time, and one statement takes so much longer than the next. */
const ROWS_LATE_MS = 30;

/** The settings in force in one run of one job. */
export class LiveSettings {
  readonly concurrency: Concurrency;
  readonly requestLimit: RateLimit;
  readonly byteLimit: RateLimit;
  readonly rowLimit: RateLimit;
  readonly windows: WindowGate;
  readonly guards: DatabaseGuards;
  readonly inFlight: InFlight;
  /** Before each request of a stage; planning and verifying go with copying. */
  readonly throttlers: Readonly<Record<WorkStage, Throttler>>;
  readonly #parts: Pick<JobParts, "clock">;
  #spec: JobSpec;
  #limits: Limits;

  constructor(
    parts: Pick<JobParts, "clock" | "calendar" | "connections" | "governors">,
    { spec, windowsIgnoredUntil }: Settings,
    run: {
      readonly signal: AbortSignal;
      /** For looking around before the job is one. */
      readonly isLook?: boolean;
      readonly onMissingRight?: (database: string, missing: MissingRight) => void;
    },
  ) {
    const { clock, calendar, connections, governors } = parts;
    this.#parts = parts;
    this.#spec = spec;
    this.inFlight = new InFlight(() => clock.now());
    this.windows = new WindowGate(calendar, { spec, ignoredUntil: windowsIgnoredUntil });
    const now = clock.now();
    const limits = this.windows.limitsAt(now);
    this.#limits = limits;
    this.concurrency = limitConcurrency(limits.concurrency);
    const relocation = canonicalJson([spec.source, spec.target]);
    this.requestLimit =
      run.isLook === true
        ? governors.rateLimitOfPreflight(relocation, limits.requestsPerSecond, now)
        : governors.rateLimitOfJob(relocation, limits.requestsPerSecond, now);
    this.byteLimit = new RateLimit(limits.bytesPerSecond);
    this.rowLimit = new RateLimit(limits.rowsPerSecond, ROWS_LATE_MS);
    const observe = (stage: WorkStage): Observation => {
      const closed = this.windows.observe(stage);
      return (at) => {
        this.#followLimits(at);
        return closed(at);
      };
    };
    const throttlerOf = (stage: WorkStage) => [stage, new Throttler(clock, [observe(stage)])] as const;
    this.throttlers = Object.fromEntries(BOUND.map(throttlerOf)) as Record<WorkStage, Throttler>;
    this.guards = new DatabaseGuards({
      clock,
      limits: spec.guards.database,
      observations: observe,
      signal: run.signal,
      health: (database) => connections.health(database),
      onMissingRight: run.onMissingRight ?? (() => {}),
    });
  }

  /** How many requests may be under way at once. */
  get places(): number {
    return this.#limits.concurrency;
  }

  get spec(): JobSpec {
    return this.#spec;
  }

  /** Takes changed settings over: for what runs, and for what waits within a quarter of a second. */
  apply({ spec, windowsIgnoredUntil }: Settings): void {
    this.#spec = spec;
    this.windows.set({ spec, ignoredUntil: windowsIgnoredUntil });
    this.guards.setLimits(spec.guards.database);
    this.#followLimits(this.#parts.clock.now());
  }

  /** Lets the limits of a window that has opened or shut come into force though no request begins. */
  refresh(): void {
    this.#followLimits(this.#parts.clock.now());
  }

  /**
   * What requests or statements wait for, where nothing else goes on; null otherwise. One stage may wait for its windows,
   * or for a database, while another works:
   *
   * | something is under way, or was just now | something open waits for its turn | something is held | the job        |
   * |-----------------------------------------|-----------------------------------|-------------------|----------------|
   * | yes                                     | any                               | any               | works          |
   * | no                                      | yes                               | any               | works, slowly  |
   * | no                                      | no                                | yes               | waits for that |
   * | no                                      | no                                | no                | works          |
   */
  get waiting(): Waiting | null {
    const held = BOUND.map((stage) => this.throttlers[stage].waiting).find((waiting) => waiting !== null);
    const waiting = held ?? this.guards.waiting;
    if (waiting === null || !this.inFlight.isStill(STILL_MS)) return null;
    const isRateLimited = BOUND.some((stage) => this.throttlers[stage].isRateLimited(STILL_MS));
    return isRateLimited || this.guards.isRateLimited(STILL_MS) ? null : waiting;
  }

  /** A window's own limits come into force with its first request, or the next {@link LiveSettings.refresh}. */
  #followLimits(at: number): void {
    const limits = this.windows.limitsAt(at);
    const before = this.#limits;
    if (limits === before) return;
    this.#limits = limits;
    if (limits.concurrency !== before.concurrency) this.concurrency.resize(limits.concurrency);
    follow(this.requestLimit, limits.requestsPerSecond, at);
    follow(this.byteLimit, limits.bytesPerSecond, at);
    follow(this.rowLimit, limits.rowsPerSecond, at);
  }
}

function follow(rateLimit: RateLimit, perSecond: number | null, at: number): void {
  if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, at);
}
