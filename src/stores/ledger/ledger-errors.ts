/** What the database's errors mean: worth repeating, a row that is there already, or a ledger that is not to be had. */

import { QueryFailedError } from "typeorm";
import { DomainError } from "../../domain/errors.ts";
import { NETWORK_CODES } from "../mysql-network-codes.ts";

/** The statement had no effect: another transaction was in the way. */
const IN_THE_WAY = new Set([
  "ER_LOCK_DEADLOCK",
  "ER_LOCK_WAIT_TIMEOUT",
  // MariaDB with innodb_snapshot_isolation: the row changed since the transaction first looked.
  "ER_CHECKREAD",
  "SQLITE_BUSY",
  "SQLITE_BUSY_SNAPSHOT",
  "SQLITE_BUSY_RECOVERY",
  "SQLITE_BUSY_TIMEOUT",
  "SQLITE_LOCKED",
  "SQLITE_LOCKED_SHAREDCACHE",
]);

/** It is unknown whether the statement had an effect, or the server could not be asked. */
const CONNECTION = new Set([
  ...NETWORK_CODES,
  "PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR",
  "PROTOCOL_ENQUEUE_AFTER_QUIT",
  "PROTOCOL_PACKETS_OUT_OF_ORDER",
  "ER_CON_COUNT_ERROR",
  "ER_SERVER_SHUTDOWN",
  "ER_NORMAL_SHUTDOWN",
  "ER_QUERY_INTERRUPTED",
  "ER_CONNECTION_KILLED",
  "ER_CLIENT_INTERACTION_TIMEOUT",
]);

/** Codes that mysql2 has no name for: MariaDB's "connection was killed" and MySQL's idle time-out. */
const CONNECTION_NUMBERS = new Set([1927, 4031]);

const DUPLICATE = new Set(["ER_DUP_ENTRY", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"]);

/** What held the ledger is gone or is no database any more: no waiting brings it back. */
const LOST = new Set([
  "ER_NO_SUCH_TABLE",
  "ER_NO_SUCH_TABLE_IN_ENGINE",
  "ER_BAD_DB_ERROR",
  "ER_NO_DB_ERROR",
  "SQLITE_CORRUPT",
  "SQLITE_CORRUPT_INDEX",
  "SQLITE_CORRUPT_SEQUENCE",
  "SQLITE_CORRUPT_VTAB",
  "SQLITE_NOTADB",
  "SQLITE_IOERR_SHORT_READ",
  "SQLITE_READONLY_DBMOVED",
]);

interface DriverError {
  readonly code: string;
  readonly errno: number | null;
  readonly message: string;
}

/** What the driver said, or null when `error` is not the driver's. */
function driverError(error: unknown): DriverError | null {
  const inner: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(inner instanceof Error)) return null;
  const { code, errno, fatal } = inner as { code?: unknown; errno?: unknown; fatal?: unknown };
  // mysql2 gives no code when it is handed a statement for a connection that has just died.
  const known = typeof code === "string" ? code : fatal === true ? "PROTOCOL_CONNECTION_LOST" : null;
  if (known === null) return null;
  return { code: known, errno: typeof errno === "number" ? errno : null, message: inner.message };
}

/** Whether the connection was lost, so that it is unknown whether the statement had its effect. */
export function isConnectionLost(error: unknown): boolean {
  const cause = driverError(error);
  if (cause === null) return false;
  return CONNECTION.has(cause.code) || CONNECTION_NUMBERS.has(cause.errno ?? 0);
}

/** Whether the same statement may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  return isConnectionLost(error) || IN_THE_WAY.has(driverError(error)?.code ?? "");
}

/** Whether a unique key refused a row; also after translation by {@link ledgerError}. */
export function isDuplicate(error: unknown): boolean {
  const code = error instanceof DomainError ? error.details.code : driverError(error)?.code;
  return typeof code === "string" && DUPLICATE.has(code);
}

function isLost({ code, message }: DriverError): boolean {
  return LOST.has(code) || (code === "SQLITE_ERROR" && message.startsWith("no such table"));
}

/** The end of all work under a ledger: `what` happened, and how to go on. */
export function ledgerLost(what: string, remedy: string, cause?: Error): DomainError {
  const message = `${what} Nothing more is copied, updated or deleted. ${remedy}.`;
  return new DomainError("ledger_lost", message, cause === undefined ? {} : { cause });
}

/**
 * `error` as callers may see it: ours and programming errors as they are, the driver's as `ledger_unavailable`, or as
 * `ledger_lost` where a table or the file of an open ledger is gone. The driver's own error holds the whole statement with
 * its parameters, so only code and message are kept.
 */
export function ledgerError(error: unknown, isOpen = true): unknown {
  const cause = driverError(error);
  if (error instanceof DomainError || cause === null) return error;
  if (isOpen && isLost(cause)) {
    const what = `The ledger is damaged: ${cause.message.replace(/\.$/, "")} (${cause.code}).`;
    return ledgerLost(what, "Restore it from a backup, then resume the job", new Error(cause.code));
  }
  return new DomainError("ledger_unavailable", `The ledger does not answer as it should (${cause.code}).`, {
    cause: new Error(`${cause.code}: ${cause.message}`),
    details: { code: cause.code },
  });
}
