/** What the account may do, asked of the server without changing anything. */

import { DomainError } from "../../../domain/errors.ts";
import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import { isMissingRight } from "./mariadb-errors.ts";
import type { TableShape } from "./mariadb-facts.ts";
import type { MariadbSessions } from "./mariadb-sessions.ts";
import { planStatements, rewriteSql } from "./mariadb-statements.ts";

/**
 * Whether the account may run the job's own rewriting statement. EXPLAIN needs the same rights as the statement and
 * does not execute it (MariaDB and MySQL manuals, EXPLAIN). True where it cannot be asked, for want of a column.
 */
export async function mayRewrite(
  sessions: MariadbSessions,
  spec: ReferenceSpec,
  shape: TableShape,
): Promise<boolean> {
  try {
    const plan = planStatements(spec, shape, false);
    const statement = rewriteSql(plan, ["a/"], { from: "a/", to: "b/" }, 1);
    await sessions.select(`EXPLAIN ${statement}`, () => {});
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === "database_refused") {
      if (isMissingRight(error.cause)) return false;
      // Refused before the server was asked: a column is missing, which is told by itself.
      if (error.cause === undefined) return true;
    }
    throw error;
  }
}
