/** The statements that change rows: by ranges where they are known, by lists otherwise, and what stopped them. */

import { hasCode, messageOf } from "../../domain/errors.ts";
import type { PrefixChange } from "../../domain/key-mapping.ts";
import type { StatementPass } from "../../ports/reference-table.ts";
import type { Setback } from "./bisect-rewrite.ts";
import type { ColumnRanges } from "./column-ranges.ts";
import { exceptionOf, isGivenUp, kindOf } from "./mariadb-errors.ts";
import type { MariadbSessions, Updated } from "./mariadb-sessions.ts";
import { rewriteSql } from "./mariadb-statements.ts";
import type { MariadbTablePlan } from "./mariadb-table-plan.ts";
import type { StatementSize } from "./statement-size.ts";

/** Rows one rewriting statement may change for each value it may take: it is repeated while there are more. */
const ROWS_A_VALUE = 2;

export interface RewritesParts {
  readonly sessions: MariadbSessions;
  readonly plan: MariadbTablePlan;
  readonly size: StatementSize;
  readonly ranges: ColumnRanges;
  /** A statement that goes by ranges is given up after so long. */
  readonly rangeMs: number;
  /** Told of each statement. */
  readonly onSend: () => void;
}

export class MariadbRewrites {
  readonly #parts: RewritesParts;

  constructor(parts: RewritesParts) {
    this.#parts = parts;
  }

  /** Rewrites exactly `values`: the number of rows, or what stopped it. */
  async attempt(
    values: readonly string[],
    change: PrefixChange,
    pass: StatementPass,
  ): Promise<number | Setback> {
    const { size } = this.#parts;
    const most = change.to === change.from ? Number.MAX_SAFE_INTEGER : ROWS_A_VALUE * size.values;
    let rows = 0;
    try {
      for (;;) {
        const changed = await this.#send(values, change, most, pass);
        // What takes long is changing rows, and a value may be in many.
        size.took(Math.max(values.length, changed.rows), changed.ms);
        rows += changed.rows;
        if (changed.rows < most) return rows;
      }
    } catch (error) {
      const message = messageOf(error);
      if (kindOf(error) === "contention") return { kind: "contention", message, cause: error, rows };
      if (kindOf(error) === "row") return { kind: "row", code: exceptionOf(error), message, rows };
      throw error;
    }
  }

  /**
   * One statement; by ranges first, where they are known, and by list at once where these were of no use: somebody holds a
   * row of them, they take too long, such a statement is refused altogether, or no row was found, which proves nothing.
   */
  async #send(
    values: readonly string[],
    change: PrefixChange,
    most: number,
    pass: StatementPass,
  ): Promise<Updated> {
    const { sessions, plan, ranges, rangeMs, onSend } = this.#parts;
    /** How the last attempt went, and whether any of them went by ranges: a lost connection is repeated by list. */
    let [isByRange, wasByRange] = [false, false];
    const send = () => {
      isByRange = false;
      return plan.run(pass, (current) => {
        const sqlOf = () => {
          // After all waiting, for what is known of a range grows old. Whatever went wrong with one must not go wrong twice.
          const condition = wasByRange ? null : ranges.take(current, values, performance.now());
          isByRange = condition !== null;
          wasByRange ||= isByRange;
          const range = condition === null ? null : { condition, withinMs: rangeMs };
          return rewriteSql(current, values, change, most, range);
        };
        return sessions.update(sqlOf, onSend, pass);
      });
    };
    try {
      const changed = await send();
      if (isByRange && changed.rows > 0) ranges.served();
      else if (wasByRange) ranges.refused();
      return isByRange && changed.rows === 0 ? await send() : changed;
    } catch (error) {
      if (wasByRange) ranges.refused();
      if (isByRange && (isGivenUp(error) || hasCode(error, "database_refused"))) return send();
      // By range too, a deadlock or a statement that somebody ended is met with patience, as by list.
      throw error;
    }
  }
}
