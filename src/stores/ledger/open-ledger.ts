/** Opens the ledger at its configured address, and brings its tables up to date. */

import mysql, { type PoolOptions } from "mysql2";
import { DataSource, type DataSourceOptions, type Logger } from "typeorm";
import { CreateJobs1790000000001 } from "../../../migrations/0001-create-jobs.ts";
import { CreateBatches1790000000002 } from "../../../migrations/0002-create-batches.ts";
import { CreateExceptions1790000000003 } from "../../../migrations/0003-create-exceptions.ts";
import { CreateAuditEvents1790000000004 } from "../../../migrations/0004-create-audit-events.ts";
import { AddWindowsIgnored1790000000005 } from "../../../migrations/0005-add-windows-ignored.ts";
import { AddExpected1790000000006 } from "../../../migrations/0006-add-expected.ts";
import { CreateStoreShares1790000000007 } from "../../../migrations/0007-create-store-shares.ts";
import { AddClockLag1790000000008 } from "../../../migrations/0008-add-clock-lag.ts";
import { CreateConsignments1790000000009 } from "../../../migrations/0009-create-consignments.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { MysqlServer } from "../mysql-address.ts";
import { type LedgerAddress, readLedgerAddress } from "./ledger-address.ts";
import { ledgerError } from "./ledger-errors.ts";
import { checkOfLedgerFile } from "./ledger-file.ts";
import { lockLedgerFile, type Unlock } from "./ledger-lock.ts";
import { LedgerSession } from "./ledger-session.ts";
import { migrate } from "./migrate.ts";
import { ledgerTables } from "./schemas/ledger-tables.ts";
import { sqlLedger } from "./sql-ledger.ts";

/** In order. Never edited once merged, never generated at run time. */
const MIGRATIONS = [
  CreateJobs1790000000001,
  CreateBatches1790000000002,
  CreateExceptions1790000000003,
  CreateAuditEvents1790000000004,
  AddWindowsIgnored1790000000005,
  AddExpected1790000000006,
  CreateStoreShares1790000000007,
  AddClockLag1790000000008,
  CreateConsignments1790000000009,
];

/** While it is opened: nothing else goes on yet. */
const BUSY_TIMEOUT_MS = 2_000;
/** Afterwards. The whole process stands still meanwhile: longer waits are the session's, between attempts. */
const BUSY_AT_WORK_MS = 20;
const CONNECT_TIMEOUT_MS = 10_000;
const POOL_SIZE = 10;
/** SQLite's own default. That of better-sqlite3, 16 MB, fills up as a ledger grows; the kernel caches the file anyway. */
const SQLITE_CACHE_KIB = 2000;

/**
 * What every connection must be like, whatever the server's defaults: values are refused rather than cut short,
 * a subquery of a changing statement locks what it read (the fence stands until commit), times are UTC, and a lock is
 * waited for briefly and often rather than long. MariaDB also ends the transaction of a process that was stopped in the
 * middle of it, which would otherwise keep the job from being taken over; MySQL has no such setting and ignores it.
 */
const SESSION_SETTINGS = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'",
  "SET SESSION innodb_lock_wait_timeout = 5 /*M!100300 , idle_transaction_timeout = 3 */",
  "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
];

export interface LedgerOptions {
  /** Told of every statement; tests count them. */
  readonly logger?: Logger;
  /** Whether this process will work on jobs: an SQLite ledger lets one such process in at a time. */
  readonly works?: boolean;
}

/**
 * Opens `sqlite:FILE`, `mysql://…` or a server's parts. Several instances may open one MariaDB or MySQL ledger at once.
 * Throws `config_invalid` for another address, `ledger_unavailable` when the database does not let us in, `conflict` when
 * `works` is asked for and another process works with the same SQLite file.
 */
export async function openLedger(given: string | MysqlServer, options: LedgerOptions = {}): Promise<Ledger> {
  const dataSource = ledgerDataSource(given, options);
  const address = readLedgerAddress(given);
  let unlock: Unlock = () => {};
  try {
    await dataSource.initialize();
    // Before the migrations: they are not to happen under a process that works.
    if (options.works && address.kind === "sqlite") unlock = lockLedgerFile(address.file);
    await migrate(dataSource);
    if (address.kind === "sqlite") await dataSource.query(`PRAGMA busy_timeout = ${BUSY_AT_WORK_MS}`);
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy().catch(() => undefined);
    unlock();
    throw ledgerError(error, false);
  }
  const check = address.kind === "sqlite" ? checkOfLedgerFile(address.file) : () => {};
  const session = new LedgerSession(dataSource, ledgerTables(dataSource.options.type), check);
  return sqlLedger(session, unlock);
}

/** The TypeORM data source of the ledger at `given`, not connected yet. */
export function ledgerDataSource(given: string | MysqlServer, { logger }: LedgerOptions = {}): DataSource {
  const address = readLedgerAddress(given);
  const driver = driverOptions(address);
  return new DataSource({
    ...driver,
    entities: Object.values(ledgerTables(driver.type)),
    migrations: MIGRATIONS,
    migrationsTableName: "tranship_migrations",
    synchronize: false,
    ...(logger === undefined ? { logging: false } : { logger, logging: "all" }),
  });
}

function driverOptions(address: LedgerAddress): DataSourceOptions & { type: "better-sqlite3" | "mariadb" } {
  if (address.kind === "sqlite") {
    return {
      type: "better-sqlite3",
      database: address.file,
      timeout: BUSY_TIMEOUT_MS,
      enableWAL: true,
      prepareDatabase: (database: { pragma(statement: string): unknown }) => {
        database.pragma("synchronous = FULL");
        database.pragma(`cache_size = -${SQLITE_CACHE_KIB}`);
      },
    };
  }
  return {
    // TypeORM goes by the server's version where MariaDB differs from MySQL, so this serves both.
    type: "mariadb",
    driver: { createPool },
    host: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    ...(address.tls ? { ssl: {} } : {}),
    charset: "utf8mb4",
    timezone: "Z",
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    poolSize: POOL_SIZE,
    // Rows matched, not rows changed: a fenced write that changes nothing is not a lost lease.
    extra: { flags: ["FOUND_ROWS"], enableKeepAlive: true },
  };
}

/** A pool whose connections all begin with {@link SESSION_SETTINGS}; they are queued before any other statement. */
function createPool(options: PoolOptions): mysql.Pool {
  const pool = mysql.createPool(options);
  pool.on("connection", (connection) => {
    for (const statement of SESSION_SETTINGS) {
      connection.query(statement, (error: unknown) => {
        // Without these settings a connection is not safe to use.
        if (error) connection.destroy();
      });
    }
  });
  return pool;
}
