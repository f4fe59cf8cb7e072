/** A job's guards, one for each database that its tables are in. */

import type { DatabaseLimits, WorkStage } from "../../domain/job-spec.ts";
import type { Waiting } from "../../domain/job-state.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DatabaseHealth, MissingRight } from "../../ports/database-health.ts";
import type { ReferenceTable } from "../../ports/reference-table.ts";
import type { InFlight } from "../in-flight.ts";
import type { StallDetector } from "../stall-detector.ts";
import { type Observation, Throttler } from "../throttler.ts";
import { DatabaseGuard } from "./database-guard.ts";
import { GuardedReferenceTable } from "./guarded-reference-table.ts";

export interface DatabaseGuardsParts {
  readonly clock: Clock;
  /** `guards.database` of the job; null holds nothing. */
  readonly limits: DatabaseLimits | null;
  /** What else may hold statements of a stage, checked before the database: the windows. */
  observations(stage: WorkStage): Observation;
  readonly signal: AbortSignal;
  health(database: string): DatabaseHealth;
  /** Called once for each right that a limit needs and the account lacks: worth a log line and an audit event. */
  onMissingRight(database: string, missing: MissingRight): void;
}

/** The guards of all databases of one job. */
export class DatabaseGuards {
  readonly #parts: DatabaseGuardsParts;
  readonly #guards = new Map<string, DatabaseGuard>();
  /** One for each database and stage. */
  readonly #throttlers = new Map<string, Throttler>();
  #limits: DatabaseLimits | null;

  constructor(parts: DatabaseGuardsParts) {
    this.#parts = parts;
    this.#limits = parts.limits;
  }

  /**
   * `table`, of which each statement in `stage` waits until its database is within its limits, or `signal` (that of the run
   * unless given) aborts.
   */
  guarded(
    table: ReferenceTable,
    stage: WorkStage,
    {
      inFlight,
      confirmLease,
      stalls,
      signal = this.#parts.signal,
    }: {
      readonly inFlight: InFlight;
      confirmLease?(): Promise<void>;
      readonly stalls?: StallDetector;
      readonly signal?: AbortSignal;
    },
  ): ReferenceTable {
    const { clock } = this.#parts;
    const guard = this.#guardOf(table.database);
    return new GuardedReferenceTable({
      table,
      clock,
      signal,
      inFlight,
      ...(confirmLease === undefined ? {} : { confirmLease }),
      ...(stalls === undefined ? {} : { stalls }),
      guard,
      throttler: this.#throttlerOf(guard, stage),
    });
  }

  /** Resolves when statements of `stage` may be sent to all of `databases`; throws `stopped`. */
  async ready(databases: readonly string[], stage: WorkStage): Promise<void> {
    for (const database of new Set(databases)) {
      const closed = this.#throttlerOf(this.#guardOf(database), stage).whenOpen(this.#parts.signal);
      if (closed !== null) await closed;
    }
  }

  /** The hold that statements wait for at this moment; null when none waits. */
  get waiting(): Waiting | null {
    for (const throttler of this.#throttlers.values())
      if (throttler.waiting !== null) return throttler.waiting;
    return null;
  }

  /** Whether a statement waits only for a gap or rest, or did in the last `ms`; see {@link Throttler.isRateLimited}. */
  isRateLimited(ms: number): boolean {
    return [...this.#throttlers.values()].some((throttler) => throttler.isRateLimited(ms));
  }

  /** Uses other limits from now on, for waiting statements too. */
  setLimits(limits: DatabaseLimits | null): void {
    this.#limits = limits;
    for (const guard of this.#guards.values()) guard.setLimits(limits);
  }

  #guardOf(database: string): DatabaseGuard {
    const known = this.#guards.get(database);
    if (known !== undefined) return known;
    const guard = new DatabaseGuard({
      clock: this.#parts.clock,
      health: this.#parts.health(database),
      limits: this.#limits,
      onMissingRight: (missing) => this.#parts.onMissingRight(database, missing),
    });
    this.#guards.set(database, guard);
    return guard;
  }

  #throttlerOf(guard: DatabaseGuard, stage: WorkStage): Throttler {
    const name = `${stage} ${guard.database}`;
    const { clock } = this.#parts;
    const known =
      this.#throttlers.get(name) ?? new Throttler(clock, [this.#parts.observations(stage), guard.observe]);
    this.#throttlers.set(name, known);
    return known;
  }
}
