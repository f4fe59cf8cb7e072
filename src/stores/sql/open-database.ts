/** Opens a configured database by its address and hands out its reference tables. */

import { DomainError } from "../../domain/errors.ts";
import type { ReferenceSpec } from "../../domain/job-spec.ts";
import type { DatabaseHealth, HealthSample } from "../../ports/database-health.ts";
import type { ReferenceTable } from "../../ports/reference-table.ts";
import { type MysqlServer, readMysqlAddress } from "../mysql-address.ts";
import { MariadbHealth } from "./mariadb/mariadb-health.ts";
import { MariadbReferenceTable } from "./mariadb/mariadb-reference-table.ts";
import { MariadbSessions } from "./mariadb/mariadb-sessions.ts";
import { SqliteFile } from "./sqlite/sqlite-file.ts";
import { SqliteReferenceTable } from "./sqlite/sqlite-reference-table.ts";

/** A health statement without an answer by then is given up with its connection, and sent again on another. */
const HEALTH_ANSWER_WITHIN_MS = 5000;

/** A configured database. Nothing is connected or opened before the first call of one of its tables. */
export interface Database {
  readonly kind: "mariadb" | "sqlite";
  /** A reference's table; each of its statements adds one to `statements[name]`. */
  reference(spec: ReferenceSpec, statements: Record<string, number>): ReferenceTable;
  readonly health: DatabaseHealth;
  /** To be called when a run or a preflight begins: rights that were missing may have been granted since. */
  askRightsAnew(): void;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** How long one statement waits for another transaction's lock; whole seconds, default 3. MariaDB only. */
  readonly lockWaitSeconds?: number;
  /** How long a statement may stay unanswered before it is given up with its connection; default 30 s. MariaDB only. */
  readonly answerWithinMs?: number;
  /** Where rewriting statements take longer than this they get fewer values; default 40. MariaDB only. */
  readonly longRewriteMs?: number;
  /** Where the servers are that replicate from it; their lag is part of its health. MariaDB only. */
  readonly replicas?: readonly (string | MysqlServer)[];
}

/**
 * Opens a server's database ({@link readMysqlAddress}) or `sqlite:FILE` under the configured name. Throws `config_invalid`,
 * without any part of a URL's user name, password or host in the message.
 */
export function openDatabase(
  name: string,
  given: string | MysqlServer,
  options: DatabaseOptions = {},
): Database {
  if (typeof given === "string" && given.startsWith("sqlite:"))
    return openSqlite(name, given.slice("sqlite:".length));
  const { lockWaitSeconds = 3, answerWithinMs, replicas = [] } = options;
  const address = readMysqlAddress(`database "${name}"`, given);
  const sessions = new MariadbSessions(name, address, lockWaitSeconds, answerWithinMs);
  const health = new MariadbHealth(
    new MariadbSessions(name, address, lockWaitSeconds, HEALTH_ANSWER_WITHIN_MS),
    replicas.map((replica) => replicaSessions(name, replica, lockWaitSeconds)),
  );
  return {
    kind: "mariadb",
    reference: (spec, statements) => new MariadbReferenceTable(sessions, spec, statements, options),
    health,
    askRightsAnew: () => {
      sessions.askRightsAnew();
      health.askRightsAnew();
    },
    close: async () => {
      await Promise.all([sessions.close(), health.close()]);
    },
  };
}

/** Named by host and port: several replicas belong to one database. */
function replicaSessions(
  database: string,
  given: string | MysqlServer,
  lockWaitSeconds: number,
): MariadbSessions {
  const address = readMysqlAddress(`a replica of database "${database}"`, given);
  return new MariadbSessions(
    `${address.host}:${address.port}`,
    address,
    lockWaitSeconds,
    HEALTH_ANSWER_WITHIN_MS,
  );
}

function openSqlite(name: string, path: string): Database {
  if (path === "") throw new DomainError("config_invalid", `database "${name}": sqlite: needs a file name`);
  const file = new SqliteFile(name, path);
  return {
    kind: "sqlite",
    reference: (spec, statements) => new SqliteReferenceTable(file, spec, statements),
    health: { database: name, sample: async () => NOTHING_TO_REPORT },
    askRightsAnew: () => {},
    close: async () => file.close(),
  };
}

/** A file has no threads, replicas or row locks. */
const NOTHING_TO_REPORT: HealthSample = {
  threadsRunning: null,
  replicaLagSeconds: null,
  replica: null,
  lockWaits: null,
  missingRights: [],
};
