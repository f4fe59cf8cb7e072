/** A reference's table of which each statement waits until the database is well enough for it. */

import type { PrefixChange } from "../../domain/keys/key-mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ReferencedRow,
  ReferenceTable,
  RewriteResult,
  RowSearch,
  StatementPass,
  TableFacts,
} from "../../ports/reference-table.ts";
import type { InFlight } from "../in-flight.ts";
import type { StallDetector } from "../stall-detector.ts";
import type { Throttler } from "../throttler.ts";
import type { DatabaseGuard } from "./database-guard.ts";

export interface GuardedTableParts {
  readonly table: ReferenceTable;
  readonly clock: Clock;
  /** Observes the guard, and whatever else may hold statements back. */
  readonly throttler: Throttler;
  /** The one guard of the table's database and job. */
  readonly guard: DatabaseGuard;
  readonly signal: AbortSignal;
  readonly inFlight?: InFlight;
  /** Told what comes of each call. */
  readonly stalls?: StallDetector;
  /** Makes sure that the job is still ours, before rows change; throws `lease_lost`. */
  readonly confirmLease?: () => Promise<void>;
}

/**
 * Wraps a table for one job. A statement that was sent is never cut short; a call that is asked to stop while it waits
 * throws `stopped`, be it before its first statement or between two. `inspect` and `ping` are an operator's questions
 * and do not wait.
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
    return this.#noted(this.#parts.table.page(afterId, valuePrefix, limit, this.#pass));
  }

  starting(valuePrefix: string, most: number): Promise<readonly ReferencedRow[] | null> {
    return this.#noted(this.#parts.table.starting(valuePrefix, most, this.#pass));
  }

  findRows(values: readonly string[]): Promise<readonly ReferencedRow[]> {
    return this.#noted(this.#parts.table.findRows(values, this.#pass));
  }

  matching(question: RowSearch): Promise<readonly ReferencedRow[]> {
    return this.#noted(this.#parts.table.matching(question, this.#pass));
  }

  existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#noted(this.#parts.table.existing(ids, this.#pass));
  }

  rewrite(values: readonly string[], change: PrefixChange): Promise<RewriteResult> {
    return this.#noted(this.#parts.table.rewrite(values, change, this.#passOfLeaseholder));
  }

  ping(): Promise<void> {
    return this.#parts.table.ping();
  }

  readonly #pass: StatementPass = (send) => this.#guarded(send);

  /** What held the statement back may have lasted longer than the lease. */
  readonly #passOfLeaseholder: StatementPass = (send) => this.#guarded(send, this.#parts.confirmLease);

  async #guarded<Result>(send: () => Promise<Result>, atLast?: () => Promise<void>): Promise<Result> {
    const { clock, throttler, guard, signal, inFlight, stalls } = this.#parts;
    await guard.admit(throttler, signal);
    await atLast?.();
    const begunAt = clock.now();
    inFlight?.begin();
    stalls?.asked(begunAt);
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

  /** A single statement fails as the driver says it; only the call says what that means. */
  async #noted<Result>(call: Promise<Result>): Promise<Result> {
    try {
      return await call;
    } catch (error) {
      this.#parts.stalls?.failed(error, this.#parts.clock.now());
      throw error;
    }
  }
}
