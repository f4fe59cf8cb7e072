/** The plan of one table's statements: made from the table's shape at the first need, and again when an index has gone. */

import { DomainError } from "../../../domain/errors.ts";
import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import type { StatementLimiter } from "../../../ports/reference-table.ts";
import { isMissingIndex } from "./mariadb-errors.ts";
import { readShape } from "./mariadb-facts.ts";
import { canHold } from "./mariadb-literals.ts";
import type { MariadbSessions } from "./mariadb-sessions.ts";
import { type Plan, planStatements } from "./mariadb-statements.ts";

export class MariadbTablePlan {
  readonly #sessions: MariadbSessions;
  readonly #spec: ReferenceSpec;
  readonly #needsIndex: boolean;
  #plan: Promise<Plan> | null = null;
  /** Off once the server refused an index by name: dropped since, or hidden from the optimizer. */
  #hints = true;

  /** `needsIndex`: without a usable index on the column there is no plan, but `database_refused`. */
  constructor(sessions: MariadbSessions, spec: ReferenceSpec, needsIndex: boolean) {
    this.#sessions = sessions;
    this.#spec = spec;
    this.#needsIndex = needsIndex;
  }

  /**
   * The plan; reading the shape for it goes through `limiter` as if it were one statement. Each caller waits in its own pass,
   * and the first that gets through reads: one stage's closed window must not hold up another stage.
   */
  async current(limiter: StatementLimiter): Promise<Plan> {
    return this.#plan ?? limiter(() => this.#read());
  }

  /**
   * The plan for a search of `values`. Those that the column cannot hold are in no row, which is decided on the table as it is
   * now: its shape is read again, for its character set may have been changed since.
   */
  async holding(values: readonly string[], limiter: StatementLimiter): Promise<Plan> {
    const plan = await this.current(limiter);
    if (values.every((value) => canHold(plan.facts.charset, value) === true)) return plan;
    this.#plan = null;
    return this.current(limiter);
  }

  /** Runs `work` with the plan, and once more without index hints when the index has gone since. */
  async run<Result>(limiter: StatementLimiter, work: (plan: Plan) => Promise<Result>): Promise<Result> {
    try {
      return await work(await this.current(limiter));
    } catch (error) {
      if (!(error instanceof DomainError) || !isMissingIndex(error.cause) || !this.#hints) throw error;
      this.#hints = false;
      this.#plan = null;
      return work(await this.current(limiter));
    }
  }

  #read(): Promise<Plan> {
    if (this.#plan === null) {
      const planning = readShape(this.#sessions, this.#spec.table).then((shape) => {
        const plan = planStatements(this.#spec, shape, this.#hints);
        if (this.#needsIndex && plan.byColumn === "") throw this.#unindexed();
        return plan;
      });
      // A failure is not remembered: the table may be there next time.
      planning.catch(() => {
        this.#plan = null;
      });
      this.#plan = planning;
    }
    return this.#plan;
  }

  #unindexed(): DomainError {
    const { database, table, column } = this.#spec;
    const what = `no index that can be used begins with ${column}`;
    return new DomainError("database_refused", `database "${database}", table "${table}": ${what}`);
  }
}
