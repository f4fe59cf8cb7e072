/** `LiveSettings`: limits, windows and guards of a run, which may change while it works. */

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

/** The part of a job's record that settings come from; see {@link LiveSettings.apply}. */
export interface Settings {
  readonly spec: JobSpec;
  readonly windowsIgnoredUntil: number | null;
}

/**
 * Time without any request under way after which a wait of some requests counts as a wait of the job: between requests
 * batches are recorded and leases confirmed.
 */
const IDLE_MS = 400;

const BOUND_STAGES: readonly WorkStage[] = ["copy", "update", "delete"];

/** Tolerance of the row limit: statements change hundreds of rows each, and their durations differ by about so much. */
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
      /** For preflight and submission instead of a run. */
      readonly isPreflight?: boolean;
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
      run.isPreflight === true
        ? governors.preflightRateLimit(relocation, limits.requestsPerSecond, now)
        : governors.jobRateLimit(relocation, limits.requestsPerSecond, now);
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
    this.throttlers = Object.fromEntries(BOUND_STAGES.map(throttlerOf)) as Record<WorkStage, Throttler>;
    this.guards = new DatabaseGuards({
      clock,
      limits: spec.guards.database,
      observations: observe,
      signal: run.signal,
      health: (database) => connections.health(database),
      onMissingRight: run.onMissingRight ?? (() => {}),
    });
  }

  /** Requests that may be under way at once. */
  get maxInFlight(): number {
    return this.#limits.concurrency;
  }

  get spec(): JobSpec {
    return this.#spec;
  }

  /** Applies changed settings: to new requests at once, to waiting ones within 250 ms. */
  apply({ spec, windowsIgnoredUntil }: Settings): void {
    this.#spec = spec;
    this.windows.set({ spec, ignoredUntil: windowsIgnoredUntil });
    this.guards.setLimits(spec.guards.database);
    this.#followLimits(this.#parts.clock.now());
  }

  /** Applies the limits of a window that has opened or closed, for when no request begins. */
  refresh(): void {
    this.#followLimits(this.#parts.clock.now());
  }

  /**
   * What requests or statements wait for, when nothing else proceeds; null otherwise. One stage may wait for its windows,
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
    const held = BOUND_STAGES.map((stage) => this.throttlers[stage].waiting).find(
      (waiting) => waiting !== null,
    );
    const waiting = held ?? this.guards.waiting;
    if (waiting === null || !this.inFlight.isStill(IDLE_MS)) return null;
    const isRateLimited = BOUND_STAGES.some((stage) => this.throttlers[stage].isRateLimited(IDLE_MS));
    return isRateLimited || this.guards.isRateLimited(IDLE_MS) ? null : waiting;
  }

  /** A window's own limits apply from its first request, or from the next {@link LiveSettings.refresh}. */
  #followLimits(at: number): void {
    const limits = this.windows.limitsAt(at);
    const before = this.#limits;
    if (limits === before) return;
    this.#limits = limits;
    if (limits.concurrency !== before.concurrency) this.concurrency.resize(limits.concurrency);
    updateRate(this.requestLimit, limits.requestsPerSecond, at);
    updateRate(this.byteLimit, limits.bytesPerSecond, at);
    updateRate(this.rowLimit, limits.rowsPerSecond, at);
  }
}

function updateRate(rateLimit: RateLimit, perSecond: number | null, at: number): void {
  if (rateLimit.perSecond !== perSecond) rateLimit.setRate(perSecond, at);
}
