/** What the account may do, asked of the server without changing anything. */

import { DomainError } from "../../domain/errors.ts";
import type { ReferenceSpec } from "../../domain/job-spec.ts";
import { isMissingRight } from "./mariadb-errors.ts";
import type { TableShape } from "./mariadb-facts.ts";
import type { MariadbSessions } from "./mariadb-sessions.ts";
import { planStatements, rewriteSql } from "./mariadb-statements.ts";

/**
 * Whether the account may run the job's own rewriting statement. EXPLAIN needs the same rights as the statement and
 * does not execute it (MariaDB and MySQL manuals, EXPLAIN). False for a table that cannot serve the reference at all.
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
      if (error.cause === undefined || isMissingRight(error.cause)) return false;
    }
    throw error;
  }
}
