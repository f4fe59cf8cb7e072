/** A reference's table of which each statement waits until its database is within its limits. */

import type { PrefixChange } from "../../domain/keys/key-mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ReferencedRow,
  ReferenceTable,
  RewriteResult,
  RowSearch,
  StatementLimiter,
  TableFacts,
} from "../../ports/reference-table.ts";
import type { InFlight } from "../in-flight.ts";
import type { StallDetector } from "../stall-detector.ts";
import type { Throttler } from "../throttler.ts";
import type { DatabaseGuard } from "./database-guard.ts";

export interface GuardedTableParts {
  readonly table: ReferenceTable;
  readonly clock: Clock;
  /** Has the observation of the guard, and of whatever else may hold statements. */
  readonly throttler: Throttler;
  /** The one guard of the table's database and job. */
  readonly guard: DatabaseGuard;
  readonly signal: AbortSignal;
  readonly inFlight?: InFlight;
  /** Told of each statement and the outcome of each call. */
  readonly stalls?: StallDetector;
  /** Confirms the lease before rows change; throws `lease_lost`. */
  readonly confirmLease?: () => Promise<void>;
}

/**
 * Wraps a table for one job. A statement that was sent is never cut short; a call that is stopped while it waits, before its
 * first statement or between two, throws `stopped`. `inspect` and `ping` are not part of a job's work and do not wait.
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
    return this.#observed(this.#parts.table.page(afterId, valuePrefix, limit, this.#admit));
  }

  starting(valuePrefix: string, most: number): Promise<readonly ReferencedRow[] | null> {
    return this.#observed(this.#parts.table.starting(valuePrefix, most, this.#admit));
  }

  findRows(values: readonly string[]): Promise<readonly ReferencedRow[]> {
    return this.#observed(this.#parts.table.findRows(values, this.#admit));
  }

  matching(question: RowSearch): Promise<readonly ReferencedRow[]> {
    return this.#observed(this.#parts.table.matching(question, this.#admit));
  }

  existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#observed(this.#parts.table.existing(ids, this.#admit));
  }

  rewrite(values: readonly string[], change: PrefixChange): Promise<RewriteResult> {
    return this.#observed(this.#parts.table.rewrite(values, change, this.#admitUnderLease));
  }

  ping(): Promise<void> {
    return this.#parts.table.ping();
  }

  readonly #admit: StatementLimiter = (send) => this.#guarded(send);

  /** The wait may have lasted longer than the lease. */
  readonly #admitUnderLease: StatementLimiter = (send) => this.#guarded(send, this.#parts.confirmLease);

  async #guarded<Result>(send: () => Promise<Result>, confirm?: () => Promise<void>): Promise<Result> {
    const { clock, throttler, guard, signal, inFlight, stalls } = this.#parts;
    await guard.admit(throttler, signal);
    await confirm?.();
    const begunAt = clock.now();
    inFlight?.begin();
    stalls?.sent(begunAt);
    try {
      const result = await send();
      stalls?.answered(clock.now());
      return result;
    } finally {
      inFlight?.end();
      stalls?.ended();
      const endedAt = clock.now();
      guard.ended(endedAt, Math.max(0, endedAt - begunAt));
    }
  }

  /** A single statement fails with the driver's error; the table translates it, so only the call's error is told. */
  async #observed<Result>(call: Promise<Result>): Promise<Result> {
    try {
      return await call;
    } catch (error) {
      this.#parts.stalls?.failed(error, this.#parts.clock.now());
      throw error;
    }
  }
}
