/** The statements that change rows, and what stopped them. */

import { messageOf } from "../../../domain/errors.ts";
import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";
import type { RewriteFailure, RewriteResult, StatementLimiter } from "../../../ports/reference-table.ts";
import type { StatementFailure } from "../bisect-rewrite.ts";
import { type CheckedStatements, checkedRewrite } from "../checked-rewrite.ts";
import { byKeySql, heldSql, rewriteByKeySql } from "./mariadb-by-key.ts";
import { kindOf, rowExceptionCode } from "./mariadb-errors.ts";
import { referencedRows } from "./mariadb-reads.ts";
import type { MariadbSessions, ResultRow } from "./mariadb-sessions.ts";
import { type Plan, rewriteSql } from "./mariadb-statements.ts";
import type { MariadbTablePlan } from "./mariadb-table-plan.ts";
import type { StatementSize } from "./statement-size.ts";

/** Rows one rewriting statement may change for each value it may take: more are rewritten by their keys. */
const ROWS_A_VALUE = 2;

export interface RewritesParts {
  readonly sessions: MariadbSessions;
  readonly plan: MariadbTablePlan;
  readonly size: StatementSize;
  /** Called before each rewriting statement. */
  readonly onSend: () => void;
  /** Runs one SELECT, whose text is made again where the plan has changed. */
  readonly select: (
    limiter: StatementLimiter,
    sqlOf: (plan: Plan) => string,
  ) => Promise<readonly ResultRow[]>;
}

export class MariadbRewrites {
  readonly #parts: RewritesParts;

  constructor(parts: RewritesParts) {
    this.#parts = parts;
  }

  /** Rewrites exactly `values`: the rows and the values that cannot be changed, or what stopped it. */
  async attempt(
    values: readonly string[],
    change: PrefixChange,
    limiter: StatementLimiter,
  ): Promise<RewriteResult | StatementFailure> {
    let rows = 0;
    const count = (more: number) => {
      rows += more;
    };
    try {
      const failures = await this.#rewrite(values, change, limiter, count);
      return { rows, failures };
    } catch (error) {
      const message = messageOf(error);
      if (kindOf(error) === "contention") return { kind: "contention", message, cause: error, rows };
      if (kindOf(error) === "row") return { kind: "row", code: rowExceptionCode(error), message, rows };
      throw error;
    }
  }

  /**
   * One statement, where that does it all. Where a trigger may undo it, where not all rows that matched were changed, and
   * where there are more rows than one statement may change, they are rewritten by their keys: matching rows alone are no
   * progress, and changed ones neither, for a trigger may put back the value and change another column.
   */
  async #rewrite(
    values: readonly string[],
    change: PrefixChange,
    limiter: StatementLimiter,
    count: (rows: number) => void,
  ): Promise<readonly RewriteFailure[]> {
    const { sessions, plan, size, onSend } = this.#parts;
    // Rows whose value stays as it is hold it before and after, and a statement that takes them all is sent once.
    const keepsValues = change.to === change.from;
    const most = keepsValues ? Number.MAX_SAFE_INTEGER : ROWS_A_VALUE * size.values;
    const { hasTriggers } = await plan.current(limiter);
    if (keepsValues || !hasTriggers) {
      const { matched, changed, ms } = await plan.run(limiter, (current) =>
        sessions.update(rewriteSql(current, values, change, most), onSend, limiter),
      );
      // What takes long is changing rows, and a value may be in many.
      size.took(Math.max(values.length, matched), ms);
      count(keepsValues ? matched : changed);
      if (keepsValues || (changed === matched && matched < most)) return [];
    }
    return checkedRewrite(this.#byKey(change, limiter, count), values, change, most);
  }

  /** Rewriting by key, three short statements for each round. */
  #byKey(
    change: PrefixChange,
    limiter: StatementLimiter,
    onRewritten: (rows: number) => void,
  ): CheckedStatements {
    const { sessions, plan, size, select, onSend } = this.#parts;
    return {
      held: async (values, most) =>
        referencedRows(await select(limiter, (current) => heldSql(current, values, most))),
      rewrite: async (values, ids) => {
        const { ms } = await plan.run(limiter, (current) =>
          sessions.update(rewriteByKeySql(current, values, change, ids), onSend, limiter),
        );
        size.took(ids.length, ms);
      },
      now: async (ids) => referencedRows(await select(limiter, (current) => byKeySql(current, ids))),
      onRewritten,
    };
  }
}
