/** Opens the database of a function: one connection for statements and looks at its health. */

import type { Clock } from "../ports/clock.ts";
import { readMysqlAddress } from "../stores/mysql-address.ts";
import { MariadbHealth } from "../stores/sql/mariadb/mariadb-health.ts";
import { MariadbReferenceTable } from "../stores/sql/mariadb/mariadb-reference-table.ts";
import { MariadbSessions } from "../stores/sql/mariadb/mariadb-sessions.ts";
import { RowUpdater, type RowUpdaterParts } from "./row-updater.ts";

/** An object's copy must not wait long for somebody else's lock: its row is left to the service then. */
const LOCK_WAIT_SECONDS = 1;
/** Below `STATEMENT_MS`, with a new connection. */
const ANSWER_WITHIN_MS = 3_000;
/** A frozen environment cannot close its connection, and may never be used again. */
const IDLE_SECONDS = 60;

/** Connects with the first statement. `statements` counts them by database. Throws `config_invalid` for a faulty address. */
export function openRowUpdater(
  { name, url }: { readonly name: string; readonly url: string },
  { clock, log }: { readonly clock: Clock; readonly log: RowUpdaterParts["log"] },
  statements: Record<string, number> = {},
): { readonly updater: RowUpdater; close(): Promise<void> } {
  const address = readMysqlAddress("TRANSHIP_DATABASE_URL", url);
  const sessions = new MariadbSessions(name, address, LOCK_WAIT_SECONDS, ANSWER_WITHIN_MS, {
    most: 1,
    idleSeconds: IDLE_SECONDS,
  });
  const updater = new RowUpdater({
    ...{ database: name, clock, log },
    health: new MariadbHealth(sessions, []),
    reference: (spec) => new MariadbReferenceTable(sessions, spec, statements, { needsIndex: true }),
  });
  return { updater, close: () => sessions.close() };
}
