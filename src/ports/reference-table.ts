/** ReferenceTable: a table whose column names objects, accessed by few, short statements that compare exact bytes. */

import type { ExceptionCode } from "../domain/batch.ts";
import type { PrefixChange } from "../domain/keys/key-mapping.ts";

/** A row that names an object. */
export interface ReferencedRow {
  /** The key column's value as text; rows are ordered and paged by it. */
  readonly id: string;
  /** The stored value, exact. */
  readonly value: string;
}

/** The table's schema and rights; preflight derives problems from it. */
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
  /** Columns that the database sets by itself when a row changes; kept with `keepUpdatedAt`. */
  readonly selfUpdatingColumns: readonly string[];
  readonly triggers: readonly string[];
  /** Whether the account may change the rows as the reference needs; checked without changing anything. */
  readonly mayRewrite: boolean;
}

/** A stored value that a rewrite could not change. */
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
 * Runs `send`, which sends one statement, as soon as a statement may be sent to the database; throws `stopped` (or
 * `lease_lost`, before rows change) without running it.
 */
export type StatementLimiter = <Result>(send: () => Promise<Result>) => Promise<Result>;

/** For callers without limits. */
export const unlimitedStatements: StatementLimiter = (send) => send();

/** A query for the rows that match any of its parts. */
export interface RowSearch {
  /** The row holds exactly one of them. */
  readonly values: readonly string[];
  /**
   * The row's value begins with one of them, byte for byte. Values may be missed in which a control character, or one beyond
   * the Basic Multilingual Plane, follows (after others that collations ignore), see {@link isSurelyFound}.
   */
  readonly prefixes: readonly string[];
  /** As `prefixes`, but one row for each is enough, as very many rows may begin so. Only a few. */
  readonly samples: readonly string[];
}

/** Continuations that an index may miss after a prefix (observed in MariaDB: the end of `LIKE`'s range is U+FFFF). */
const LEFT_OUT = /^[\p{C}\p{M}]*[\p{Cc}\u{10000}-\u{10ffff}]/u;

/** Whether a value that consists of a prefix and `rest` is found by that prefix with any collation of the column. */
export function isSurelyFound(rest: string): boolean {
  return !LEFT_OUT.test(rest);
}

/**
 * A reference's table. Values are compared byte for byte with any collation, through the column's index. Calls throw
 * `database_unavailable` (may be repeated) or `database_refused`; after lock waits, deadlocks and lost connections
 * statements are repeated inside, with fewer values where that helps.
 *
 * A call may take several statements: lists are split, pages continued, failed statements repeated or halved. Each of them,
 * repetitions included, goes through the call's `limiter` while no transaction is open and no connection is in use. The
 * table's schema is read once, as one statement.
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
    limiter?: StatementLimiter,
  ): Promise<readonly ReferencedRow[]>;
  /**
   * All rows, in any order, whose value starts with `valuePrefix` byte for byte and that match `where`; several may have the
   * same value. One statement, by the column's index. Null where it would read `most` rows or more, or no index is usable:
   * use {@link page} then.
   */
  starting(
    valuePrefix: string,
    most: number,
    limiter?: StatementLimiter,
  ): Promise<readonly ReferencedRow[] | null>;
  /**
   * The rows whose value is exactly one of `values`, regardless of the reference's `where`. Of a value that tens of thousands
   * of rows have only some are given, at least one.
   */
  findRows(values: readonly string[], limiter?: StatementLimiter): Promise<readonly ReferencedRow[]>;
  /**
   * The rows that match `question`, regardless of the reference's `where`, through the column's index; a row may be given
   * twice. Of a value or a prefix that tens of thousands of rows have only some are given, at least one. One statement
   * for a thousand values and two thousand prefixes.
   */
  matching(question: RowSearch, limiter?: StatementLimiter): Promise<readonly ReferencedRow[]>;
  /** Which of `ids` exist. */
  existing(ids: readonly string[], limiter?: StatementLimiter): Promise<ReadonlySet<string>>;
  /**
   * In every row (within `where`) whose value is exactly one of `values`, replaces the leading `change.from` by `change.to`
   * and applies `set`, as one compare-and-set statement. All `values` start with `change.from`. When it throws between two
   * statements, the earlier ones have had their effect; a repetition does the rest.
   */
  rewrite(
    values: readonly string[],
    change: PrefixChange,
    limiter?: StatementLimiter,
  ): Promise<RewriteResult>;
  /** Resolves when a trivial query has succeeded: the server is reachable and accepts the credentials. */
  ping(): Promise<void>;
}
