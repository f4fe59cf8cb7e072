/** The plan of one table's statements in SQLite, made from what the table looks like. */

import type { Database } from "better-sqlite3";
import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import { assertComplete, holdsBlobs, readFacts } from "./sqlite-facts.ts";
import type { SqlitePlan } from "./sqlite-statements.ts";

/** Reads the table of `spec`; throws `database_refused` when it cannot serve the reference. */
export function planTable(
  connection: Database,
  spec: ReferenceSpec,
): { readonly plan: SqlitePlan; readonly keyIsUnique: boolean } {
  const facts = readFacts(connection, spec);
  assertComplete(facts, spec);
  const keyIsBlob = holdsBlobs(connection, spec.table, spec.key);
  const { keyIsUnique, columnIsIndexed } = facts;
  return { plan: { spec, keyIsBlob, columnIsIndexed, hasTriggers: facts.triggers.length > 0 }, keyIsUnique };
}
