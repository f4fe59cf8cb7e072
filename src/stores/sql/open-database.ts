/** Opens a configured database by its URL and hands out its reference tables. */

import { DomainError } from "../../domain/errors.ts";
import type { ReferenceSpec } from "../../domain/job-spec.ts";
import type { ReferenceTable } from "../../ports/reference-table.ts";
import { MariadbReferenceTable } from "./mariadb-reference-table.ts";
import { type MariadbAddress, MariadbSessions } from "./mariadb-sessions.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { SqliteReferenceTable } from "./sqlite-reference-table.ts";

/** A configured database. Nothing is connected or opened before the first call of one of its tables. */
export interface Database {
  readonly kind: "mariadb" | "sqlite";
  /** A reference's table; each of its statements adds one to `statements[name]`. */
  reference(spec: ReferenceSpec, statements: Record<string, number>): ReferenceTable;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** How long one statement waits for another transaction's lock; whole seconds, default 3. MariaDB only. */
  readonly lockWaitSeconds?: number;
  /** How long a statement may stay unanswered before it is given up with its connection; default 30 s. MariaDB only. */
  readonly answerWithinMs?: number;
  /** Where rewriting statements take longer than this they get fewer values; default 40. MariaDB only. */
  readonly longRewriteMs?: number;
}

/**
 * Opens `mysql://user:password@host:port/database` (MariaDB or MySQL, either scheme name; `?tls=true` encrypts) or
 * `sqlite:FILE` under the configured name. Throws `config_invalid`, without any part of the URL in the message.
 */
export function openDatabase(name: string, url: string, options: DatabaseOptions = {}): Database {
  if (url.startsWith("sqlite:")) return openSqlite(name, url.slice("sqlite:".length));
  const { lockWaitSeconds = 3, answerWithinMs, longRewriteMs } = options;
  const sessions = new MariadbSessions(name, mariadbAddress(name, url), lockWaitSeconds, answerWithinMs);
  return {
    kind: "mariadb",
    reference: (spec, statements) => new MariadbReferenceTable(sessions, spec, statements, longRewriteMs),
    close: () => sessions.close(),
  };
}

function openSqlite(name: string, path: string): Database {
  if (path === "") throw new DomainError("config_invalid", `database "${name}": sqlite: needs a file name`);
  const file = new SqliteFile(name, path);
  return {
    kind: "sqlite",
    reference: (spec, statements) => new SqliteReferenceTable(file, spec, statements),
    close: async () => file.close(),
  };
}

function mariadbAddress(name: string, url: string): MariadbAddress {
  const invalid = (what: string) => new DomainError("config_invalid", `database "${name}": ${what}`);
  // The parser's own error carries the whole URL, password included: it must not become our cause.
  if (!URL.canParse(url)) throw invalid("the URL cannot be parsed; percent-encode special characters");
  const parsed = new URL(url);
  if (parsed.protocol !== "mysql:" && parsed.protocol !== "mariadb:") {
    throw invalid("the URL must begin with mysql:// or sqlite:");
  }
  const database = decoded(parsed.pathname.slice(1));
  const user = decoded(parsed.username);
  const password = decoded(parsed.password);
  if (database === null || user === null || password === null) {
    throw invalid("the URL holds a malformed percent escape");
  }
  if (parsed.hostname === "" || database === "") {
    throw invalid("the URL must name a host and a database, mysql://user:password@host:port/database");
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: parsed.port === "" ? 3306 : Number(parsed.port),
    user,
    password,
    database,
    tls: parsed.searchParams.get("tls") === "true",
  };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
