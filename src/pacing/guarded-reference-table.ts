/** A reference's table whose calls wait until the database is well enough for them. */

import type { PrefixChange } from "../domain/key-mapping.ts";
import type { Clock } from "../ports/clock.ts";
import type { ReferencedRow, ReferenceTable, RewriteResult, TableFacts } from "../ports/reference-table.ts";
import type { DatabaseGuard } from "./database-guard.ts";
import type { InFlight } from "./in-flight.ts";
import type { Valve } from "./valve.ts";

export interface GuardedTableParts {
  readonly table: ReferenceTable;
  readonly clock: Clock;
  /** Observes the guard, and whatever else may hold statements back. */
  readonly valve: Valve;
  /** The one guard of the table's database and job. */
  readonly guard: DatabaseGuard;
  readonly signal: AbortSignal;
  readonly inFlight?: InFlight;
  /** Makes sure that the job is still ours, before rows change; throws `lease_lost`. */
  readonly confirmLease?: () => Promise<void>;
}

/**
 * Wraps a table for one job. What has begun is never cut short; a call that is asked to stop while it waits throws
 * `stopped`. `inspect` and `ping` are an operator's questions and do not wait.
 */
export class GuardedReferenceTable implements ReferenceTable {
  readonly #parts: GuardedTableParts;

  constructor(parts: GuardedTableParts) {
    this.#parts = parts;
  }

  get database(): string {
    return this.#parts.table.database;
  }

  inspect(): Promise<TableFacts> {
    return this.#parts.table.inspect();
  }

  page(afterId: string | null, valuePrefix: string, limit: number): Promise<readonly ReferencedRow[]> {
    return this.#guarded((table) => table.page(afterId, valuePrefix, limit));
  }

  naming(values: readonly string[]): Promise<readonly ReferencedRow[]> {
    return this.#guarded((table) => table.naming(values));
  }

  existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#guarded((table) => table.existing(ids));
  }

  rewrite(values: readonly string[], change: PrefixChange): Promise<RewriteResult> {
    // What held the statement back may have lasted longer than the lease.
    return this.#guarded((table) => table.rewrite(values, change), this.#parts.confirmLease);
  }

  ping(): Promise<void> {
    return this.#parts.table.ping();
  }

  async #guarded<Result>(
    call: (table: ReferenceTable) => Promise<Result>,
    atLast?: () => Promise<void>,
  ): Promise<Result> {
    const { table, clock, valve, guard, signal, inFlight } = this.#parts;
    await guard.admit(valve, signal);
    await atLast?.();
    const begunAt = clock.now();
    inFlight?.begin();
    try {
      return await call(table);
    } finally {
      inFlight?.end();
      const endedAt = clock.now();
      guard.ended(endedAt, Math.max(0, endedAt - begunAt));
    }
  }
}
