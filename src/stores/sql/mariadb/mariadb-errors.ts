/** Sorts the errors of MariaDB, MySQL and their driver by number and code, never by message text. */

import type { ExceptionCode } from "../../../domain/batch.ts";
import { DomainError } from "../../../domain/errors.ts";
import { NETWORK_CODES } from "../../mysql-network-codes.ts";

/** What an error means for the statement that met it. */
export type ErrorKind = "contention" | "row" | "unavailable" | "refused" | "unknown";

const numbers = (...lists: readonly string[]): ReadonlySet<number> =>
  new Set(lists.flatMap((list) => list.split(" ").map(Number)));

const DUPLICATE_KEY = "1022 1062 1169 1586 1761 1762";
const VALUE_TOO_LONG = 1406;
const MISSING_RIGHT = "1142 1143 1370";

/**
 * Server error numbers; the names are MariaDB's. Sources: "MariaDB Error Code Reference"; "MySQL 8.0 Error Message
 * Reference" for those from 3000 to 3999, which MariaDB gives other numbers.
 */
const NUMBERS: Readonly<Record<Exclude<ErrorKind, "unknown">, ReadonlySet<number>>> = {
  contention: numbers(
    "1020", // ER_CHECKREAD: the row changed since it was read (innodb_snapshot_isolation)
    "1205 1206", // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_TABLE_FULL
    "1213 1614", // ER_LOCK_DEADLOCK, ER_XA_RBDEADLOCK
    "1317 1969 3024", // ER_QUERY_INTERRUPTED (KILL QUERY), ER_STATEMENT_TIMEOUT, MySQL's ER_QUERY_TIMEOUT
  ),
  row: numbers(
    DUPLICATE_KEY,
    `1048 1264 1265 1292 1366 ${VALUE_TOO_LONG} 1411 1526 1690 1748 3140`, // values the columns do not take
    "1216 1217 1451 1452", // foreign keys
    "1369 3819 4025", // CHECK constraints and options
    "1644", // ER_SIGNAL_EXCEPTION: a trigger refuses
  ),
  unavailable: numbers(
    "1021 1030 1037 1041 1114 1135 1180 1181 1637", // out of disk, memory, threads
    "1040 1129 1203 1226", // too many connections
    "1047", // ER_UNKNOWN_COM_ERROR: Galera's "WSREP has not yet prepared node"
    "1053 1077 1079 1152 1158 1159 1160 1161 1184 1927 2006 2013 3032 4031", // connection or server gone
    "1223 1290 1792 1836", // read-only: a failover, a backup
  ),
  refused: numbers(
    `1044 1045 ${MISSING_RIGHT} 1227 1698 1862 3118 4151`, // rights
    "1049 1054 1146 1176", // something is missing
  ),
};

const MISSING_INDEX = 1176;

interface VendorError {
  readonly errno: number | null;
  readonly code: string;
  readonly sqlState: string;
  readonly fatal: boolean;
  readonly text: string;
}

function vendorError(error: unknown): VendorError | null {
  if (!(error instanceof Error)) return null;
  const field = (name: string): unknown => Reflect.get(error, name);
  const [errno, code, sqlState] = [field("errno"), field("code"), field("sqlState")];
  // Node's system errors carry a negative errno; the server's are positive, and without a code when a trigger made
  // them up or the driver does not know them.
  const number = typeof errno === "number" && errno > 0 ? errno : null;
  // The driver says of a connection that was closed before the statement was sent only that this is fatal.
  const fatal = field("fatal") === true;
  if (number === null && typeof code !== "string" && !fatal) return null;
  return {
    errno: number,
    code: typeof code === "string" ? code : "closed",
    sqlState: typeof sqlState === "string" ? sqlState : "",
    fatal,
    text: error.message,
  };
}

/** What `error` means; `unknown` when neither server nor driver raised it. */
export function kindOf(error: unknown): ErrorKind {
  const vendor = vendorError(error);
  if (vendor === null) return "unknown";
  const { errno } = vendor;
  if (errno !== null) {
    for (const kind of ["contention", "row", "unavailable", "refused"] as const) {
      if (NUMBERS[kind].has(errno)) return kind;
    }
  }
  // A trigger may SIGNAL 45000 under any number of its own.
  if (vendor.sqlState === "45000") return "row";
  if (NETWORK_CODES.has(vendor.code) || vendor.fatal) return "unavailable";
  return errno === null ? "unknown" : "refused";
}

/** Whether the index named in a hint is gone: the table changed since its shape was read. */
export function isMissingIndex(error: unknown): boolean {
  return vendorError(error)?.errno === MISSING_INDEX;
}

/** Whether the account lacks the right for a statement (on the table, on a column, on a routine it calls). */
export function isMissingRight(error: unknown): boolean {
  return numbers(MISSING_RIGHT).has(vendorError(error)?.errno ?? 0);
}

/** Whether the account lacks a right that is given for the whole server (ER_SPECIFIC_ACCESS_DENIED_ERROR). */
export function isMissingGlobalRight(error: unknown): boolean {
  return vendorError(error)?.errno === 1227;
}

/**
 * Whether the account lacked a right, of any kind. Rights to the server and to a database are read when a connection is made:
 * what is granted since does not hold for it.
 */
export function isDenied(error: unknown): boolean {
  return numbers("1044 1227", MISSING_RIGHT).has(vendorError(error)?.errno ?? 0);
}

/** Whether the server does not know the statement (ER_PARSE_ERROR). */
export function isSyntaxError(error: unknown): boolean {
  return vendorError(error)?.errno === 1064;
}

/** Whether the server did not answer in time: the statement may still be running, so a repetition would wait behind it. */
export function isSilence(error: unknown): boolean {
  return vendorError(error)?.code === "PROTOCOL_SEQUENCE_TIMEOUT";
}

/** Whether the connection may go back to the pool after `error`. */
export function leavesConnectionUsable(error: unknown): boolean {
  const vendor = vendorError(error);
  return vendor !== null && vendor.errno !== null && !vendor.fatal && !NETWORK_CODES.has(vendor.code);
}

/** Which exception a single value gets when its statement failed with `error`. */
export function rowExceptionCode(error: unknown): ExceptionCode {
  const errno = vendorError(error)?.errno ?? 0;
  if (numbers(DUPLICATE_KEY).has(errno)) return "row_conflict";
  return errno === VALUE_TOO_LONG ? "row_value_too_long" : "row_not_updated";
}

/**
 * `error` as our own. The server's text never holds the password; the driver's own errors name host and port at most.
 */
export function translated(database: string, error: unknown): unknown {
  const vendor = vendorError(error);
  const kind = kindOf(error);
  if (vendor === null || kind === "unknown") return error;
  const number = vendor.errno === null ? vendor.code : String(vendor.errno);
  const message = `database "${database}": ${HINTS.get(vendor.errno ?? 0) ?? ""}${vendor.text} (${number})`;
  const code = kind === "unavailable" || kind === "contention" ? "database_unavailable" : "database_refused";
  return new DomainError(code, message, { cause: error });
}

/** What to put right, before the server's own message. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [1044, "the account has no right to this database: "],
  [1045, "user name or password is wrong: "],
  [1142, "the account lacks a right on the table: "],
  [1143, "the account lacks a right on a column: "],
  [1370, "the account lacks a right on a routine: "],
  [1049, "the database does not exist: "],
  [1146, "the table does not exist: "],
  [1054, "a column does not exist: "],
]);
