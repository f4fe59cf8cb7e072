/** What Tranship asks of a table whose column names objects: few, short statements over exact bytes. */

import type { ExceptionCode } from "../domain/batch.ts";
import type { PrefixChange } from "../domain/keys/key-mapping.ts";

/** A row as inventory reads it. */
export interface ReferencedRow {
  /** The key column's value as text; it orders and pages the rows. */
  readonly id: string;
  /** The stored value, exact. */
  readonly value: string;
}

/** What the table looks like; preflight turns it into problems. */
export interface TableFacts {
  readonly tableExists: boolean;
  /** Of the key, the column, `set` and `where`: those that do not exist. */
  readonly missingColumns: readonly string[];
  /** Whether the key column alone is a primary or unique key without NULLs. */
  readonly keyIsUnique: boolean;
  /** Whether an index begins with the column, long enough to find single values. */
  readonly columnIsIndexed: boolean;
  /** Whether a unique index contains the column. */
  readonly columnIsUnique: boolean;
  /** Characters (or bytes of a binary column) the column holds; null without a limit. */
  readonly columnLength: number | null;
  readonly columnType: string;
  /** Null for binary columns and where the database has none. */
  readonly collation: string | null;
  /** Rough number of rows, from the database's statistics. */
  readonly estimatedRows: number | null;
  /** Columns the database changes by itself when a row changes; kept with `keepUpdatedAt`. */
  readonly selfUpdatingColumns: readonly string[];
  readonly triggers: readonly string[];
  /** Whether the account may change the rows as the reference asks; asked without changing anything. */
  readonly mayRewrite: boolean;
}

/** One stored value that a rewrite could not change. */
export interface RewriteFailure {
  readonly value: string;
  readonly code: ExceptionCode;
  readonly message: string;
}

export interface RewriteResult {
  /** Rows that were changed. */
  readonly rows: number;
  readonly failures: readonly RewriteFailure[];
}

/**
 * Runs `send`, which sends one statement, when the database may be asked for it. Waits before it as long as need be, and
 * throws `stopped` (or `lease_lost`, before rows change) without running it.
 */
export type StatementPass = <Result>(send: () => Promise<Result>) => Promise<Result>;

/** For callers whom nothing holds back. */
export const sendFreely: StatementPass = (send) => send();

/** Rows to look for: those that any part names. */
export interface RowSearch {
  /** The row holds exactly one of them. */
  readonly values: readonly string[];
  /**
   * The row's value begins with one of them, byte for byte. Not surely found: values in which a control character, or one
   * beyond the Basic Multilingual Plane, comes next (after others that collations ignore), see {@link isSurelyFound}.
   */
  readonly prefixes: readonly string[];
  /** As `prefixes`, of which one row each is enough, for very many rows may begin so. Few. */
  readonly samples: readonly string[];
}

/** What a database's index may leave out behind a prefix (seen in MariaDB: the end of `LIKE`'s range is U+FFFF). */
const LEFT_OUT = /^[\p{C}\p{M}]*[\p{Cc}\u{10000}-\u{10ffff}]/u;

/** Whether a value that goes on with `rest` behind a prefix is found by it, whatever the column's collation. */
export function isSurelyFound(rest: string): boolean {
  return !LEFT_OUT.test(rest);
}

/**
 * A reference's table. Values are compared byte for byte whatever the collation, through the column's index.
 * Calls throw `database_unavailable` (worth repeating) or `database_refused`; lock waits, deadlocks and lost
 * connections are repeated inside, with smaller statements where that helps.
 *
 * A call may take several statements: lists are cut, windows read on, what fails is repeated or halved. Each of them goes
 * through the call's `pass`, repetitions too, while no transaction is open and no connection held. What the table looks
 * like is read once, as one statement.
 */
export interface ReferenceTable {
  /** Name of the database, as configured; statements are counted under it. */
  readonly database: string;
  inspect(): Promise<TableFacts>;
  /**
   * Rows after `afterId` (null: from the first) whose value starts with `valuePrefix` byte for byte and that match
   * `where`, in key order; fewer than `limit` means no more follow. Keyset paging, never OFFSET. Of several rows with
   * one value only the first is given (where an index can tell): a key is planned once.
   */
  page(
    afterId: string | null,
    valuePrefix: string,
    limit: number,
    pass?: StatementPass,
  ): Promise<readonly ReferencedRow[]>;
  /**
   * All rows, in any order, whose value starts with `valuePrefix` byte for byte and that match `where`; several may hold one
   * value. One statement, by the column's index. Null where it would have to look at `most` rows or more, or no index finds
   * them: {@link page} does.
   */
  starting(valuePrefix: string, most: number, pass?: StatementPass): Promise<readonly ReferencedRow[] | null>;
  /**
   * The rows that hold exactly one of `values`, whatever the reference's `where`. A value that tens of thousands of
   * rows hold gives only some of them, yet at least one.
   */
  findRows(values: readonly string[], pass?: StatementPass): Promise<readonly ReferencedRow[]>;
  /**
   * The rows that `question` asks for, whatever the reference's `where`, through the column's index; one may be given twice.
   * A value or a prefix that tens of thousands of rows have gives only some of them, yet at least one. Of a thousand
   * values and two thousand prefixes it is one statement.
   */
  matching(question: RowSearch, pass?: StatementPass): Promise<readonly ReferencedRow[]>;
  /** Which of `ids` exist. */
  existing(ids: readonly string[], pass?: StatementPass): Promise<ReadonlySet<string>>;
  /**
   * In every row (within `where`) that holds exactly one of `values`, exchanges the leading `change.from` for
   * `change.to` and applies `set`, as one compare-and-set statement. All `values` start with `change.from`. When it throws between two statements, those
   * before have had their effect; a repetition does the rest.
   */
  rewrite(values: readonly string[], change: PrefixChange, pass?: StatementPass): Promise<RewriteResult>;
  /** Asks the server something trivial: proves that it answers and lets us in. */
  ping(): Promise<void>;
}
