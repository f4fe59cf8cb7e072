/**
 * RowUpdater: points rows at new keys for a function. By compare-and-set through an index, never while the guard objects; what
 * it leaves, the service's update stage does.
 */

import { encodeRowUpdates } from "../domain/engines/row-updates.ts";
import { DomainError, hasCode, messageOf } from "../domain/errors.ts";
import type { ReferenceSpec } from "../domain/job-spec.ts";
import { valueForms } from "../domain/keys/key-mapping.ts";
import { valuesByChange } from "../domain/keys/values-by-change.ts";
import { isTripped, loadsOf } from "../pacing/database/database-load.ts";
import { HealthCollector } from "../pacing/database/health-collector.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatabaseHealth } from "../ports/database-health.ts";
import type { ReferenceTable, StatementLimiter } from "../ports/reference-table.ts";
import type { UpdatingJob } from "./copy-ports.ts";

/** Time that one statement may take with a new connection: at most this long before the function's end none begins. */
export const STATEMENT_MS = 8_000;
/** A database that did not answer is not asked again for this long. */
const AWAY_MS = 10_000;
/** Consignments whose tables are remembered. */
const MOST_REMEMBERED = 4;

export interface RowUpdaterParts {
  /** As jobs name the database. */
  readonly database: string;
  readonly health: DatabaseHealth;
  reference(spec: ReferenceSpec): Pick<ReferenceTable, "rewrite">;
  readonly clock: Clock;
  /** Writes one line of the function's log. */
  log(line: Readonly<Record<string, unknown>>): void;
}

interface UpdatedTable {
  readonly spec: ReferenceSpec;
  readonly table: Pick<ReferenceTable, "rewrite">;
}

/** The references of `job` in `database`; throws `RangeError` where there is none. */
export function referencesIn(database: string, { updates }: Pick<UpdatingJob, "updates">): ReferenceSpec[] {
  const ours = updates.references.filter((reference) => reference.database === database);
  if (ours.length > 0) return ours;
  const names = [...new Set(updates.references.map((reference) => JSON.stringify(reference.database)))];
  throw new RangeError(
    `this function updates rows of database ${JSON.stringify(database)}, and the job has rows in ${names.join(", ")}`,
  );
}

/** One for each environment of a function. Calls are made one after the other. */
export class RowUpdater {
  readonly #parts: RowUpdaterParts;
  readonly #collector: HealthCollector;
  readonly #tables = new Map<string, readonly UpdatedTable[]>();
  #isTripped = false;
  /** By the monotonic clock. */
  #awayUntil = Number.NEGATIVE_INFINITY;
  #toldReason: string | null = null;

  constructor(parts: RowUpdaterParts) {
    this.#parts = parts;
    this.#collector = new HealthCollector(parts.health, () => parts.clock.now());
  }

  /**
   * Points the rows of `job` that name `keys` at their new keys and gives the number of rows changed. Rows that stay as they
   * are, because of the guard, the time, a lock or a fault of the database, are told in the log and are no error.
   */
  async update(job: UpdatingJob, keys: readonly string[]): Promise<number> {
    const { clock } = this.#parts;
    if (clock.monotonic() < this.#awayUntil) return 0;
    const objects = keys.map((key) => ({ key }));
    let rows = 0;
    let reason: string | null = null;
    for (const { spec, table } of this.#tablesOf(job)) {
      try {
        rows += await this.#rewrite(job, { spec, table }, objects);
      } catch (error) {
        reason = messageOf(error);
        if (hasCode(error, "database_unavailable")) this.#awayUntil = clock.monotonic() + AWAY_MS;
        // One table's fault is no other's.
        if (!hasCode(error, "database_refused")) break;
      }
    }
    this.#tell(reason);
    return rows;
  }

  async #rewrite(
    job: UpdatingJob,
    { spec, table }: UpdatedTable,
    objects: readonly { readonly key: string }[],
  ): Promise<number> {
    const admit: StatementLimiter = async (send) => {
      const objection = await this.#objection(job);
      if (objection !== null) throw new DomainError("stopped", objection);
      return send();
    };
    let rows = 0;
    for (const { form, values } of valuesByChange(valueForms(spec.urlPrefix, job.change), objects)) {
      const result = await table.rewrite([...values.keys()], form.change, admit);
      rows += result.rows;
      for (const { value, code, message } of result.failures)
        this.#parts.log({ event: "row_left", table: spec.table, value, code, message });
    }
    return rows;
  }

  /** Why no statement may begin now; null: one may. Asks the database at most once a second. */
  async #objection({ updates, mayBegin }: UpdatingJob): Promise<string | null> {
    const limit = updates.maxThreadsRunning;
    const objection = limit === null ? null : await this.#guardObjection(limit);
    return objection ?? (mayBegin() ? null : "the time is over");
  }

  async #guardObjection(limit: number): Promise<string | null> {
    await this.#collector.want({ replicaLag: false });
    const { sample, failure } = this.#collector.known;
    if (failure !== null || sample?.threadsRunning == null)
      return `Threads_running cannot be read${failure === null ? "" : `: ${failure}`}`;
    const limits = {
      maxThreadsRunning: limit,
      maxReplicaLagSeconds: null,
      maxLockWaits: null,
      onUnknown: "hold",
    } as const;
    this.#isTripped = loadsOf(sample, limits).some((load) => isTripped(load, this.#isTripped));
    return this.#isTripped ? `Threads_running is above the limit of ${limit}` : null;
  }

  #tablesOf(job: UpdatingJob): readonly UpdatedTable[] {
    const name = `${job.token} ${encodeRowUpdates(job.updates)}`;
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const { database, reference } = this.#parts;
    const tables = referencesIn(database, job).map((spec) => ({ spec, table: reference(spec) }));
    this.#tables.set(name, tables);
    const [oldest] = this.#tables.keys();
    if (this.#tables.size > MOST_REMEMBERED && oldest !== undefined) this.#tables.delete(oldest);
    return tables;
  }

  /** Once for each change: there may be a million objects. */
  #tell(reason: string | null): void {
    if (reason !== null && reason !== this.#toldReason) this.#parts.log({ event: "rows_left", reason });
    this.#toldReason = reason;
  }
}
