/** A job's guards, one for each database that its tables are in. */

import type { DatabaseLimits } from "../domain/job-spec.ts";
import type { Waiting } from "../domain/job-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatabaseHealth, MissingRight } from "../ports/database-health.ts";
import type { ReferenceTable } from "../ports/reference-table.ts";
import { DatabaseGuard } from "./database-guard.ts";
import { GuardedReferenceTable } from "./guarded-reference-table.ts";
import { type Observation, Valve } from "./valve.ts";

export interface DatabaseGuardsParts {
  readonly clock: Clock;
  /** `guards.database` of the job; null lets everything pass. */
  readonly limits: DatabaseLimits | null;
  /** What else may hold statements back, told before the database's own state: the windows, for example. */
  readonly observations: readonly Observation[];
  readonly signal: AbortSignal;
  health(database: string): DatabaseHealth;
  /** Called once for each right that a limit needs and the account lacks: worth a log line and an audit event. */
  onMissingRight(database: string, missing: MissingRight): void;
}

/** Everything of one job that talks to a database passes through here. */
export class DatabaseGuards {
  readonly #parts: DatabaseGuardsParts;
  readonly #byDatabase = new Map<string, { readonly guard: DatabaseGuard; readonly valve: Valve }>();
  #limits: DatabaseLimits | null;

  constructor(parts: DatabaseGuardsParts) {
    this.#parts = parts;
    this.#limits = parts.limits;
  }

  /** `table`, whose calls wait until its database is well enough. */
  guarded(table: ReferenceTable): ReferenceTable {
    const { clock, signal } = this.#parts;
    return new GuardedReferenceTable({ table, clock, signal, ...this.#of(table.database) });
  }

  /** What statements wait for at this moment; null when none does. */
  get waiting(): Waiting | null {
    for (const { valve } of this.#byDatabase.values()) if (valve.waiting !== null) return valve.waiting;
    return null;
  }

  /** Takes other limits over from now on, for those who wait too. */
  setLimits(limits: DatabaseLimits | null): void {
    this.#limits = limits;
    for (const { guard } of this.#byDatabase.values()) guard.setLimits(limits);
  }

  #of(database: string): { readonly guard: DatabaseGuard; readonly valve: Valve } {
    const known = this.#byDatabase.get(database);
    if (known !== undefined) return known;
    const { clock, observations } = this.#parts;
    const guard = new DatabaseGuard({
      clock,
      health: this.#parts.health(database),
      limits: this.#limits,
      onMissingRight: (missing) => this.#parts.onMissingRight(database, missing),
    });
    const made = { guard, valve: new Valve(clock, [...observations, guard.observe]) };
    this.#byDatabase.set(database, made);
    return made;
  }
}
