/** How far one server is behind those it replicates from, in the words of MariaDB and of MySQL. */

import { DomainError } from "../../../domain/errors.ts";
import { isMissingGlobalRight, isSyntaxError } from "./mariadb-errors.ts";
import type { MariadbSessions, NamedResultRow } from "./mariadb-sessions.ts";

/**
 * In this order, until one is no syntax error: the first is MariaDB's and gives all connections (the two others only
 * the default one there), the second MySQL's since 8.0.22, the third older. The rights: MariaDB manual, GRANT, since
 * 10.5.9; MySQL manual, SHOW REPLICA STATUS.
 */
const STATEMENTS = [
  { sql: "SHOW ALL SLAVES STATUS", right: "SLAVE MONITOR" },
  { sql: "SHOW REPLICA STATUS", right: "REPLICATION CLIENT" },
  { sql: "SHOW SLAVE STATUS", right: "REPLICATION CLIENT" },
] as const;

/** `lagSeconds` null: the server replicates from no other. */
export type Replication =
  | { readonly kind: "known"; readonly lagSeconds: number | null }
  | { readonly kind: "forbidden"; readonly right: string; readonly grant: string };

/** Asks one server; remembers which statement it understands. */
export class ReplicationStatus {
  readonly #sessions: MariadbSessions;
  #from = 0;
  #asking: Promise<Replication> | null = null;

  constructor(sessions: MariadbSessions) {
    this.#sessions = sessions;
  }

  /**
   * Throws `database_unavailable` or `database_refused` when the server does not answer. Calls that come before the answer
   * get the same one: statements do not pile up at a silent server.
   */
  ask(): Promise<Replication> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<Replication> {
    for (;;) {
      const statement = STATEMENTS[this.#from];
      if (statement === undefined) throw this.#noneUnderstood();
      try {
        return { kind: "known", lagSeconds: worstLagSeconds(await this.#sessions.show(statement.sql)) };
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        if (isMissingGlobalRight(error.cause)) return await this.#forbidden(statement.right);
        if (!isSyntaxError(error.cause)) throw error;
        this.#from += 1;
      }
    }
  }

  async #forbidden(right: string): Promise<Replication> {
    const [row] = await this.#sessions.show("SELECT CURRENT_USER() AS account");
    const account = String(row?.account).replace(/^(.*)@([^@]*)$/, "'$1'@'$2'");
    return { kind: "forbidden", right, grant: `GRANT ${right} ON *.* TO ${account}` };
  }

  #noneUnderstood(): DomainError {
    this.#from = 0;
    const message = `database "${this.#sessions.name}": none of ${STATEMENTS.map(({ sql }) => sql).join(", ")} is understood`;
    return new DomainError("database_refused", message);
  }
}

/**
 * The lag of the channel furthest behind, by the rows of SHOW REPLICA STATUS. NULL is a channel that is stopped, broken
 * or without a connection: infinite. So is a column that is missing under both its names. Null without any channel.
 */
export function worstLagSeconds(rows: readonly NamedResultRow[]): number | null {
  if (rows.length === 0) return null;
  return Math.max(...rows.map(lagOf));
}

/** MySQL since 8.0.22 says Source, MariaDB (11 too) and older MySQL say Master. */
function lagOf(row: NamedResultRow): number {
  const lag = row.Seconds_Behind_Source ?? row.Seconds_Behind_Master ?? null;
  const seconds = lag === null || lag === "" ? Number.NaN : Number(lag);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : Number.POSITIVE_INFINITY;
}
