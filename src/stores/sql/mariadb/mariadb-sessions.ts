/** Connections to one MariaDB or MySQL database, each set up once, and statements that outlive a lost connection. */

import { createPool, type Pool, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import { DomainError } from "../../../domain/errors.ts";
import { type StatementLimiter, unlimitedStatements } from "../../../ports/reference-table.ts";
import type { MysqlAddress } from "../../mysql-address.ts";
import { systemClock } from "../../system-clock.ts";
import { backOff } from "../backoff.ts";
import { isDenied, isSilence, kindOf, leavesConnectionUsable, translated } from "./mariadb-errors.ts";
import { RightsGeneration } from "./rights-generation.ts";
import { StatementQueue } from "./statement-queue.ts";

/** One row of a result, in the order of its columns. */
export type ResultRow = readonly unknown[];

/** One row of a result, by column name. */
export type NamedResultRow = Readonly<Record<string, unknown>>;

/** Attempts of one statement while the connection or the server goes away under it. */
const ATTEMPTS = 3;
/** A statement without an answer by then is given up with its connection: the network is gone. */
const ANSWER_WITHIN_MS = 30_000;
const CONNECT_WITHIN_MS = 5000;
/** No statement is longer, whatever the server takes: parsing more would not be a short statement. */
const MAX_STATEMENT_BYTES = 4 * 1024 * 1024;

/** Connections of a pool. */
export interface ConnectionBounds {
  /** At a time. */
  readonly most: number;
  /** The server closes a connection that has been idle for this long; null: by its own setting. */
  readonly idleSeconds: number | null;
}

/** What an UPDATE did. */
export interface Updated {
  /** Rows that its conditions held for. */
  readonly matched: number;
  /** Of them those that are not what they were: a trigger may have put the old values back. */
  readonly changed: number;
  /** From sending it to its answer, its commit included: no row was locked for longer. */
  readonly ms: number;
}

/** A small pool. Statements must be harmless when repeated; they run one after the other. */
export class MariadbSessions {
  readonly name: string;
  readonly #pool: Pool;
  readonly #lockWaitSeconds: number;
  readonly #answerWithinMs: number;
  readonly #idleSeconds: number | null;
  readonly #queue = new StatementQueue(systemClock);
  /**
   * Connections that are set up, and with which generation's rights, by the driver's own object: the promise wrapper is new
   * at every checkout.
   */
  readonly #ready = new WeakMap<object, number>();
  readonly #rights = new RightsGeneration();
  #statementBytes = MAX_STATEMENT_BYTES;

  constructor(
    name: string,
    address: MysqlAddress,
    lockWaitSeconds: number,
    answerWithinMs = ANSWER_WITHIN_MS,
    { most, idleSeconds }: ConnectionBounds = { most: 4, idleSeconds: null },
  ) {
    this.name = name;
    this.#idleSeconds = idleSeconds;
    this.#answerWithinMs = answerWithinMs;
    this.#lockWaitSeconds = lockWaitSeconds;
    const { tls, ...account } = address;
    this.#pool = createPool({
      ...account,
      ...(tls ? { ssl: {} } : {}),
      charset: "utf8mb4_general_ci",
      connectionLimit: most,
      connectTimeout: Math.min(CONNECT_WITHIN_MS, answerWithinMs),
      enableKeepAlive: true,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      // Texts are complete: the driver would read each once more in search of question marks.
      queryFormat: (sql: string) => sql,
    });
  }

  /** Bytes of the longest statement that the server and our own limit allow; the latter until the first connection is made. */
  get statementBytes(): number {
    return this.#statementBytes;
  }

  /** Runs a SELECT; each attempt of it goes through `limiter`. */
  async select(
    sql: string,
    onSend: () => void,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ResultRow[]> {
    return this.#repeated("contention too", limiter, async (connection) => {
      onSend();
      const [rows] = await connection.query<RowDataPacket[]>({
        sql,
        rowsAsArray: true,
        timeout: this.#answerWithinMs,
      });
      return rows as unknown as readonly ResultRow[];
    });
  }

  /**
   * Runs an UPDATE; each attempt of it goes through `limiter`. After a lost connection the statement may have been applied
   * already: the repetition then matches nothing and the number is too small, never the effect twice.
   */
  async update(
    sql: string,
    onSend: () => void,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<Updated> {
    return this.#repeated("only lost connections", limiter, async (connection) => {
      onSend();
      const sentAt = performance.now();
      const [result] = await connection.query({ sql, timeout: this.#answerWithinMs });
      const ms = performance.now() - sentAt;
      return { ...numbersOf(result), ms };
    });
  }

  /** Runs a SHOW, whose columns differ from server to server. It touches no table and is not counted. */
  async show(sql: string): Promise<readonly NamedResultRow[]> {
    return this.#repeated("contention too", unlimitedStatements, async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout: this.#answerWithinMs });
      return rows;
    });
  }

  /** After a refusal for lack of a right the next statement goes by a new connection, for which rights granted since hold. */
  askRightsAnew(): void {
    this.#rights.askAnew();
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** With "only lost connections", errors of kind `contention` and `row` come out as the driver threw them. */
  async #repeated<Result>(
    what: "contention too" | "only lost connections",
    limiter: StatementLimiter,
    work: (connection: PoolConnection) => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // What waits in `limiter` holds up no other statement and has no connection.
        return await limiter(() => this.#queue.run(() => this.#once(work)));
      } catch (error) {
        const kind = kindOf(error);
        if (what !== "contention too" && (kind === "contention" || kind === "row")) throw error;
        const worthRepeating = (kind === "unavailable" || kind === "contention") && !isSilence(error);
        if (!worthRepeating || attempt >= ATTEMPTS) throw translated(this.name, error);
        await backOff(attempt, 100);
      }
    }
  }

  async #once<Result>(work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#connection();
    try {
      await this.#setUp(connection);
      const result = await work(connection);
      connection.release();
      return result;
    } catch (error) {
      if (isDenied(error)) this.#rights.denied(performance.now());
      if (leavesConnectionUsable(error)) connection.release();
      else connection.destroy();
      throw error;
    }
  }

  /** A connection with the rights of the present generation; there are no more older ones than the pool has connections. */
  async #connection(): Promise<PoolConnection> {
    for (;;) {
      const connection = await this.#pool.getConnection();
      const generation = this.#ready.get(connection.connection);
      if (generation === undefined || generation === this.#rights.generation) return connection;
      connection.destroy();
    }
  }

  /**
   * Sets a new connection up, once; these statements touch no table and are not counted as production statements.
   *
   * - sql_mode is set whole, not added to: the text depends on backslash escapes (no NO_BACKSLASH_ESCAPES) and on ''
   *   being a string (no EMPTY_STRING_IS_NULL); strict for every engine, so that nothing is truncated (hazard: an
   *   over-long path stored short).
   * - autocommit, so that locks last one statement, even where `init_connect` says otherwise.
   * - lock_wait_timeout bounds the wait for ALTER TABLE and LOCK TABLES, a day by default.
   * - in_predicate_conversion_threshold: MariaDB rewrites long IN lists into a subquery, which loses the range access.
   * - eq_range_index_dive_limit: of a list of 200 values or more the server otherwise guesses from its statistics how many
   *   rows they have. Where these are old, or most values are rare and a few are not, it reads the whole index instead
   *   (measured: 150 ms a statement at a million rows, and for as long as the table stayed open).
   * - range_optimizer_max_mem_size: MySQL reads the whole table where the ranges of a list need more memory, by default 8 MB,
   *   which 10,000 values of a VARCHAR(512) do; an UPDATE locks what it reads (seen in 9.7).
   */
  async #setUp(connection: PoolConnection): Promise<void> {
    if (this.#ready.has(connection.connection)) return;
    const { generation } = this.#rights;
    const seconds = this.#lockWaitSeconds;
    const timeout = this.#answerWithinMs;
    const idle = this.#idleSeconds === null ? "" : `wait_timeout = ${this.#idleSeconds}, `;
    await connection.query({
      sql:
        `SET SESSION ${idle}` +
        "sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, " +
        `innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${seconds} ` +
        // Where it can be set at all: from 10.3.18 on, but not in the first releases of 10.4.
        "/*M!100408 , in_predicate_conversion_threshold = 0 */ " +
        // Once for MariaDB, once for MySQL, which know them since these versions; MariaDB skips what is for MySQL 5.7.
        "/*M!100310 , eq_range_index_dive_limit = 0 */ " +
        "/*!50709 , eq_range_index_dive_limit = 0, range_optimizer_max_mem_size = 0 */",
      timeout,
    });
    await connection.query({ sql: "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", timeout });
    const [rows] = await connection.query<RowDataPacket[]>({
      sql: "SELECT @@SESSION.sql_mode, @@SESSION.max_allowed_packet",
      rowsAsArray: true,
      timeout,
    });
    const [mode, packet] = (rows as unknown as readonly ResultRow[])[0] ?? [];
    if (!String(mode).split(",").includes("STRICT_TRANS_TABLES")) {
      throw new DomainError("database_refused", `database "${this.name}": strict SQL mode cannot be set`);
    }
    this.#statementBytes = Math.min(MAX_STATEMENT_BYTES, Math.floor(Number(packet) * 0.9));
    this.#ready.set(connection.connection, generation);
  }
}

/**
 * `affectedRows` counts what matched, for the driver asks for that (FOUND_ROWS). How many of these changed stands in the
 * server's text alone, "Rows matched: 3  Changed: 2  Warnings: 0", in the language of its messages: the order counts.
 */
function numbersOf(result: object): Pick<Updated, "matched" | "changed"> {
  if (!("affectedRows" in result && "info" in result)) return { matched: 0, changed: 0 };
  const matched = Number(result.affectedRows);
  const [, changed] = String(result.info).match(/\d+/g) ?? [];
  return { matched, changed: changed === undefined ? matched : Number(changed) };
}
