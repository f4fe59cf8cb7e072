/** Runs statements on the ledger's database: repeats what may be repeated, and translates what cannot. */

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import { isConnectionLost, isTransient, ledgerError } from "./ledger-errors.ts";
import type { LedgerTables } from "./schemas/ledger-tables.ts";

/** One value of a statement. */
export type SqlValue = string | number | Buffer | null;

/** A connection to ask. Statements are written so that SQLite, MariaDB and MySQL take them alike. */
export interface Sql {
  /** For reads and inserts by entity. */
  readonly manager: EntityManager;
  rows<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]>;
  /** Number of rows that the statement inserted, removed, or matched to change (even if they were so already). */
  change(statement: string, values: readonly SqlValue[]): Promise<number>;
}

/** What is known when work is begun again. */
export interface Attempt {
  /** The attempt before may have had its effect: its answer was lost. */
  readonly mayBeDone: boolean;
}

type Work<T> = (sql: Sql, attempt: Attempt) => Promise<T>;

const FIRST_PAUSE_MS = 40;
const MOST_PAUSE_MS = 1_280;
const LEAST_ATTEMPTS = 6;
/** What is in the way (a lock of another process, a server that restarts) is met with so much patience, at least. */
const PATIENCE_MS = 10_000;
/** And with so much in a process that is about to end: what cannot be recorded is found out by the next run. */
const HURRIED_MS = 400;
const PAUSE_PART_MS = 100;

export class LedgerSession {
  readonly #dataSource: DataSource;
  readonly #isSqlite: boolean;
  /** TypeORM has one SQLite connection: a transaction on it excludes all other work. */
  readonly #turns: <T>(work: () => Promise<T>) => Promise<T>;
  readonly tables: LedgerTables;
  readonly #check: () => void;
  #isHurried = false;

  /** `check` is called before each piece of work; what it throws keeps the work from being begun. */
  constructor(dataSource: DataSource, tables: LedgerTables, check: () => void = () => {}) {
    this.#check = check;
    this.#dataSource = dataSource;
    this.tables = tables;
    this.#isSqlite = dataSource.options.type === "better-sqlite3";
    const limit = pLimit(1);
    // SQLite writes while everything else stands still: answers that came meanwhile are dealt with in between.
    this.#turns = this.#isSqlite ? (work) => limit(() => nextTurn().then(work)) : (work) => work();
  }

  /** Ends an `INSERT` that may meet rows which are there already, and leaves those alone; `column` is any of them. */
  orKeep(column: string): string {
    // Not INSERT IGNORE: it would also cut over-long values short instead of refusing them.
    return this.#isSqlite ? "ON CONFLICT DO NOTHING" : `ON DUPLICATE KEY UPDATE ${column} = ${column}`;
  }

  /** Runs `work`, of which each statement is a transaction of its own; it may be run again. */
  async run<T>(work: Work<T>): Promise<T> {
    return this.#repeating((runner, attempt) => work(sqlOf(runner), attempt));
  }

  /**
   * As {@link LedgerSession.run}, but with an SQLite file nothing waits for the disk: the process may end at once, and only
   * the end of the machine loses what was written since the last other statement.
   */
  async unsynced<T>(work: Work<T>): Promise<T> {
    if (!this.#isSqlite) return this.run(work);
    return this.run(async (sql, attempt) => {
      await sql.rows("PRAGMA synchronous = NORMAL", []);
      try {
        return await work(sql, attempt);
      } finally {
        await sql.rows("PRAGMA synchronous = FULL", []);
      }
    });
  }

  /** Runs `work` in one transaction; it may be run again as a whole. */
  async transaction<T>(work: Work<T>): Promise<T> {
    return this.#repeating(async (runner, attempt) => {
      await this.#begin(runner);
      try {
        const result = await work(sqlOf(runner), attempt);
        await this.#end(runner, "COMMIT");
        return result;
      } catch (error) {
        // The server rolls back by itself when the connection is gone; the first error is the one that counts.
        await this.#end(runner, "ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  /** From now on what is in the way is waited for {@link HURRIED_MS} at most, by what waits already too. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** Closes all connections, once nothing is under way any more (SQLite). */
  async close(): Promise<void> {
    // Closing would write the log of a file that was lost into what stands in its place, which may be a backup.
    if (this.#isLost()) return;
    await this.#turns(async () => {
      if (this.#dataSource.isInitialized) await this.#dataSource.destroy();
    });
  }

  #isLost(): boolean {
    try {
      this.#check();
      return false;
    } catch {
      return true;
    }
  }

  async #begin(runner: QueryRunner): Promise<void> {
    // IMMEDIATE: a deferred transaction that reads first cannot wait for a writer of another process.
    if (this.#isSqlite) await runner.query("BEGIN IMMEDIATE");
    else await runner.startTransaction();
  }

  async #end(runner: QueryRunner, how: "COMMIT" | "ROLLBACK"): Promise<void> {
    if (this.#isSqlite) await runner.query(how);
    else if (how === "COMMIT") await runner.commitTransaction();
    else await runner.rollbackTransaction();
  }

  async #repeating<T>(work: (runner: QueryRunner, attempt: Attempt) => Promise<T>): Promise<T> {
    let mayBeDone = false;
    const begun = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#check();
        return await this.#turns(() => this.#withRunner((runner) => work(runner, { mayBeDone })));
      } catch (error) {
        if (!isTransient(error) || this.#isOver(attempt, error, begun)) throw ledgerError(error);
        mayBeDone ||= isConnectionLost(error);
      }
      // Random, so that two that met do not meet again.
      await this.#pause(Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + Math.random()));
    }
  }

  /** Whether `error`, of attempt `attempt`, is the last that is waited out. */
  #isOver(attempt: number, error: unknown, begun: number): boolean {
    const ms = performance.now() - begun;
    if (this.#isHurried) return ms >= HURRIED_MS;
    // A lost connection has taken its own time.
    return attempt >= LEAST_ATTEMPTS && (isConnectionLost(error) || ms >= PATIENCE_MS);
  }

  /** In small parts: the process may be asked to end meanwhile. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && !(this.#isHurried && left < ms); left = until - performance.now()) {
      await sleep(Math.min(left, PAUSE_PART_MS));
    }
  }

  async #withRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }
}

function sqlOf(runner: QueryRunner): Sql {
  return {
    manager: runner.manager,
    rows: <Row>(statement: string, values: readonly SqlValue[]) =>
      runner.query(statement, [...values]) as Promise<Row[]>,
    change: async (statement, values) => (await runner.query(statement, [...values], true)).affected ?? 0,
  };
}
