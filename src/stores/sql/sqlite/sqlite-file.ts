/** A SQLite file of an application: opened at first use, never reconfigured, and waited for when busy. */

import Sqlite from "better-sqlite3";
import type { ExceptionCode } from "../../../domain/batch.ts";
import { DomainError, messageOf } from "../../../domain/errors.ts";
import { type StatementLimiter, unlimitedStatements } from "../../../ports/reference-table.ts";
import { backOff } from "../backoff.ts";

/** Tries of one statement while another connection has the file. */
const ATTEMPTS = 6;
/** better-sqlite3 waits inside the process's only thread, so SQLite itself waits little and we wait asynchronously. */
const BUSY_TIMEOUT_MS = 100;

export class SqliteFile {
  readonly name: string;
  readonly #path: string;
  #connection: Sqlite.Database | null = null;
  #isClosed = false;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  /**
   * Runs `work`, again while the file is busy, each time by `limiter`. Constraint violations come out as the driver threw
   * them.
   */
  async use<Result>(
    work: (connection: Sqlite.Database) => Result,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await limiter(async () => work(this.#open()));
      } catch (error) {
        const code = sqliteCode(error);
        if (code === null || code.startsWith("SQLITE_CONSTRAINT")) throw error;
        if (!/^SQLITE_(BUSY|LOCKED)/.test(code) || attempt >= ATTEMPTS) throw this.#translated(code, error);
        await backOff(attempt, 50);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = null;
  }

  #open(): Sqlite.Database {
    if (this.#connection !== null) return this.#connection;
    if (this.#isClosed) throw new DomainError("database_unavailable", `database "${this.name}" is closed`);
    let connection: Sqlite.Database;
    try {
      // An application's database that is not there must not be created empty.
      connection = new Sqlite(this.#path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    } catch (error) {
      // The driver answers a missing directory with a TypeError without a code.
      throw this.#translated(sqliteCode(error) ?? "SQLITE_CANTOPEN", error);
    }
    try {
      // A value's bytes are compared as UTF-8; in a UTF-16 file they would be others.
      if (connection.pragma("encoding", { simple: true }) !== "UTF-8") {
        throw new DomainError("database_refused", `database "${this.name}": only UTF-8 files are supported`);
      }
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  #translated(code: string, error: unknown): DomainError {
    const message = `database "${this.name}": ${messageOf(error)} (${code})`;
    const isPassing = /^SQLITE_(BUSY|LOCKED|IOERR|FULL|NOMEM|PROTOCOL|INTERRUPT|SCHEMA)/.test(code);
    return new DomainError(isPassing ? "database_unavailable" : "database_refused", message, {
      cause: error,
    });
  }
}

/** SQLite's extended result code, or null for an error that is not the driver's. */
export function sqliteCode(error: unknown): string | null {
  return error instanceof Sqlite.SqliteError ? error.code : null;
}

/** The exception a single value gets, by the result code of the constraint it violated. */
export function constraintExceptionCode(code: string): ExceptionCode {
  return /_(UNIQUE|PRIMARYKEY|ROWID)$/.test(code) ? "row_conflict" : "row_not_updated";
}
