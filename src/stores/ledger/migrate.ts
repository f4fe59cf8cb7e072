/** Runs the migrations once, however many instances start at the same moment. */

import type { DataSource } from "typeorm";
import { DomainError } from "../../domain/errors.ts";

const LOCK = "tranship-ledger-migrations";
const LOCK_WAIT_S = 60;
/** At the end of a migration's name. */
const TIMESTAMP_DIGITS = 13;

/**
 * Brings the ledger's tables up to date; waits for another instance that is at it. Throws `config_invalid` where a newer
 * version has changed them.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  if (dataSource.options.type === "better-sqlite3") await migrateSqlite(dataSource);
  else await migrateMysql(dataSource);
  await refuseNewer(dataSource);
}

/** Throws `config_invalid` where a newer version has changed the tables: this one would misunderstand what it finds. */
async function refuseNewer(dataSource: DataSource): Promise<void> {
  const [row] = (await dataSource.query("SELECT MAX(timestamp) AS newest FROM tranship_migrations")) as {
    newest: unknown;
  }[];
  const known = Math.max(
    ...dataSource.migrations.map(({ name = "" }) => Number(name.slice(-TIMESTAMP_DIGITS))),
  );
  if (Number(row?.newest ?? 0) <= known) return;
  throw new DomainError(
    "config_invalid",
    "the ledger was changed by a newer version of Tranship: start that version, or configure another ledger",
  );
}

/** SQLite's DDL is transactional, and TypeORM has a single connection: one transaction holds all of it. */
async function migrateSqlite(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  await runner.query("BEGIN IMMEDIATE");
  try {
    await dataSource.runMigrations({ transaction: "none" });
    await runner.query("COMMIT");
  } catch (error) {
    await runner.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** MariaDB and MySQL commit DDL by themselves: a named lock keeps others out, and a cut-off run is simply repeated. */
async function migrateMysql(dataSource: DataSource): Promise<void> {
  const guard = dataSource.createQueryRunner();
  try {
    const name = `${LOCK}:${await guard.getCurrentDatabase()}`.slice(0, 64);
    const [answer] = (await guard.query("SELECT GET_LOCK(?, ?) AS held", [name, LOCK_WAIT_S])) as {
      held: unknown;
    }[];
    if (Number(answer?.held) !== 1) {
      throw new DomainError(
        "ledger_unavailable",
        "Another instance has been migrating the ledger for too long.",
      );
    }
    try {
      await dataSource.runMigrations({ transaction: "none" });
    } finally {
      await guard.query("SELECT RELEASE_LOCK(?)", [name]);
    }
  } finally {
    await guard.release();
  }
}
