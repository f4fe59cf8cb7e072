/** What SQLite's pragmas say about a reference's table. */

import type { Database } from "better-sqlite3";
import { DomainError } from "../../../domain/errors.ts";
import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import type { TableFacts } from "../../../ports/reference-table.ts";

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  /** Place in the primary key, 0 for none. */
  readonly pk: number;
}

interface IndexRow {
  readonly name: string;
  readonly unique: number;
  readonly partial: number;
}

interface SqliteIndex extends IndexRow {
  /** Lower case; null stands for an expression. */
  readonly columns: readonly (string | null)[];
}

/** Reads everything {@link TableFacts} holds, and whether the key holds BLOBs. */
export function readFacts(connection: Database, spec: ReferenceSpec): TableFacts {
  const columns = connection
    .prepare<[string], ColumnRow>("SELECT * FROM pragma_table_xinfo(?)")
    .all(spec.table);
  const indexes = readIndexes(connection, spec.table);
  const named = [spec.key, spec.column, ...Object.keys(spec.set), ...Object.keys(spec.where)];
  const known = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const column = spec.column.toLowerCase();
  const onColumn = indexes.filter(({ partial }) => partial === 0);
  return {
    tableExists: columns.length > 0,
    missingColumns: [...new Set(named)].filter((name) => !known.has(name.toLowerCase())),
    keyIsUnique: keyIsUnique(columns, indexes, spec.key.toLowerCase()),
    columnIsIndexed: onColumn.some(({ columns: [first] }) => first === column) || isRowid(columns, column),
    columnIsUnique: indexes.some(({ unique, columns: parts }) => unique === 1 && parts.includes(column)),
    // SQLite does not enforce declared lengths.
    columnLength: null,
    columnType: known.get(column)?.type ?? "",
    collation: null,
    estimatedRows: estimatedRows(connection, spec.table),
    selfUpdatingColumns: [],
    mayRewrite: !connection.readonly,
    triggers: connection
      .prepare<[string], { name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name",
      )
      .all(spec.table)
      .map(({ name }) => name),
  };
}

/** Throws `database_refused` with what is missing. SQLite's own code for that is the same as for a syntax error. */
export function assertComplete(facts: TableFacts, spec: ReferenceSpec): void {
  const refused = (what: string) =>
    new DomainError("database_refused", `database "${spec.database}", table "${spec.table}": ${what}`);
  if (!facts.tableExists) throw refused("it does not exist");
  if (facts.missingColumns.length > 0) {
    throw refused(`it lacks the column(s) ${facts.missingColumns.join(", ")}`);
  }
}

/** Whether the key column is declared to hold bytes; its ids then travel as hexadecimal. */
export function holdsBlobs(connection: Database, table: string, column: string): boolean {
  const type = connection
    .prepare<[string, string], { type: string }>(
      "SELECT type FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE",
    )
    .get(table, column)?.type;
  return /blob|binary/i.test(type ?? "");
}

function readIndexes(connection: Database, table: string): readonly SqliteIndex[] {
  const parts = connection.prepare<[string], { name: string | null }>(
    "SELECT name FROM pragma_index_info(?) ORDER BY seqno",
  );
  return connection
    .prepare<[string], IndexRow>("SELECT * FROM pragma_index_list(?)")
    .all(table)
    .map((index) => ({
      ...index,
      columns: parts.all(index.name).map(({ name }) => name?.toLowerCase() ?? null),
    }));
}

function keyIsUnique(columns: readonly ColumnRow[], indexes: readonly SqliteIndex[], key: string): boolean {
  if (isRowid(columns, key)) return true;
  const column = columns.find(({ name }) => name.toLowerCase() === key);
  // A PRIMARY KEY that is not the rowid may hold NULLs, several of them (SQLite documentation, "Quirks").
  return (
    column?.notnull === 1 &&
    indexes.some(
      ({ unique, partial, columns: parts }) =>
        unique === 1 && partial === 0 && parts.length === 1 && parts[0] === key,
    )
  );
}

/** INTEGER PRIMARY KEY is the table's own order and has no index of its own. */
function isRowid(columns: readonly ColumnRow[], name: string): boolean {
  const [only, ...others] = columns.filter(({ pk }) => pk > 0);
  return others.length === 0 && only?.name.toLowerCase() === name && only.type.toUpperCase() === "INTEGER";
}

/** From ANALYZE, where it has run; counting rows would read the whole table. */
function estimatedRows(connection: Database, table: string): number | null {
  const hasStatistics = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").get();
  if (hasStatistics === undefined) return null;
  const row = connection
    .prepare<[string], { stat: string | null }>("SELECT stat FROM sqlite_stat1 WHERE tbl = ? COLLATE NOCASE")
    .get(table);
  return row?.stat == null ? null : Number.parseInt(row.stat, 10);
}
