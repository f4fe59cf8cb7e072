/** What MariaDB's information_schema says about a reference's table. */

import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import type { TableFacts } from "../../../ports/reference-table.ts";
import { text } from "./mariadb-literals.ts";
import type { MariadbSessions, ResultRow } from "./mariadb-sessions.ts";

export interface ColumnFacts {
  /** As the table spells it. */
  readonly name: string;
  /** Without length, e.g. `varchar`. */
  readonly dataType: string;
  /** In full, e.g. `varchar(255)`. */
  readonly columnType: string;
  /** Null for what is not text. */
  readonly charset: string | null;
  readonly collation: string | null;
  readonly length: number | null;
  /** Whether the database sets it by itself when a row changes. */
  readonly updatesItself: boolean;
}

interface IndexFacts {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly {
    readonly name: string;
    readonly prefix: number | null;
    readonly nullable: boolean;
  }[];
  /** Whether it is a B-tree. */
  readonly usable: boolean;
}

/** The table as the statements need it. */
export interface TableShape {
  readonly exists: boolean;
  /** By lower-case name: column names are case-insensitive. */
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly indexes: readonly IndexFacts[];
  readonly triggers: readonly string[];
  readonly estimatedRows: number | null;
}

/** A shorter index prefix finds too many rows for one value to count as an index on the column. */
const SHORTEST_PREFIX = 191;

/**
 * Reads the shape of `table`. These look-ups read information_schema and no row of the table, once per reference
 * and again when the table has changed; they are not counted as production statements.
 */
export async function readShape(sessions: MariadbSessions, table: string): Promise<TableShape> {
  const notCounted = () => {};
  const here = `TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${text(table)}`;
  const read = (sql: string) => sessions.select(sql, notCounted);
  const tables = await read(`SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE ${here}`);
  const columns = await read(
    "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, " +
      `CHARACTER_MAXIMUM_LENGTH, EXTRA FROM information_schema.COLUMNS WHERE ${here} ORDER BY ORDINAL_POSITION`,
  );
  const indexes = await read(
    "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, NULLABLE, INDEX_TYPE " +
      `FROM information_schema.STATISTICS WHERE ${here} ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
  );
  const triggers = await read(
    "SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE() " +
      `AND EVENT_OBJECT_TABLE = ${text(table)} AND EVENT_MANIPULATION = 'UPDATE' ORDER BY TRIGGER_NAME`,
  );
  // information_schema compares names without case, tables on Linux are named with it: an exact match goes first.
  const exact = tables.some(([name]) => name === table);
  const ours = (rows: readonly ResultRow[]) => rows.filter(([name]) => !exact || name === table);
  const [, rows] = ours(tables)[0] ?? [];
  return {
    exists: tables.length > 0,
    columns: new Map(
      ours(columns)
        .map(columnOf)
        .map((column) => [column.name.toLowerCase(), column]),
    ),
    indexes: indexesOf(ours(indexes)),
    triggers: ours(triggers).map(([, name]) => String(name)),
    estimatedRows: rows === null || rows === undefined ? null : Number(rows),
  };
}

function columnOf([, name, dataType, columnType, charset, collation, length, extra]: ResultRow): ColumnFacts {
  return {
    name: String(name),
    dataType: asText(dataType).toLowerCase(),
    columnType: asText(columnType),
    charset: charset === null ? null : String(charset),
    collation: collation === null ? null : String(collation),
    length: length === null ? null : Number(length),
    updatesItself: /on update/i.test(String(extra)),
  };
}

/** MySQL gives some of these columns as binary LONGTEXT. */
function asText(cell: unknown): string {
  return Buffer.isBuffer(cell) ? cell.toString("utf8") : String(cell);
}

function indexesOf(rows: readonly ResultRow[]): IndexFacts[] {
  const grouped = new Map<string, ResultRow[]>();
  for (const row of rows) {
    const name = String(row[1]);
    const parts = grouped.get(name);
    if (parts === undefined) grouped.set(name, [row]);
    else parts.push(row);
  }
  return [...grouped].map(([name, parts]) => ({
    name,
    unique: Number(parts[0]?.[2]) === 0,
    columns: parts.map(([, , , column, prefix, nullable]) => ({
      name: String(column).toLowerCase(),
      prefix: prefix === null ? null : Number(prefix),
      nullable: nullable === "YES",
    })),
    usable: parts[0]?.[6] === "BTREE",
  }));
}

/** The best index that begins with `column`: whole rather than a prefix of it, primary rather than secondary. */
export function indexOn(shape: TableShape, column: string): IndexFacts | null {
  const candidates = shape.indexes.filter(
    ({ usable, columns: [first] }) =>
      usable && first?.name === column.toLowerCase() && (first.prefix ?? SHORTEST_PREFIX) >= SHORTEST_PREFIX,
  );
  const rank = (index: IndexFacts) =>
    (index.columns[0]?.prefix === null ? 0 : 4) +
    (index.columns.length === 1 ? 0 : 2) +
    (index.unique ? 0 : 1);
  return candidates.toSorted((a, b) => rank(a) - rank(b))[0] ?? null;
}

/** Whether `column` by itself tells every row from every other. */
export function isUniqueKey(shape: TableShape, column: string): boolean {
  return shape.indexes.some(
    ({ unique, columns }) =>
      unique &&
      columns.length === 1 &&
      columns[0]?.name === column.toLowerCase() &&
      columns[0].prefix === null &&
      !columns[0].nullable,
  );
}

/** Every column that `spec` names and the table lacks. */
export function missingColumns(shape: TableShape, spec: ReferenceSpec): readonly string[] {
  const named = [spec.key, spec.column, ...Object.keys(spec.set), ...Object.keys(spec.where)];
  return [...new Set(named)].filter((name) => !shape.columns.has(name.toLowerCase()));
}

/** The facts preflight asks for. */
export function tableFactsOf(shape: TableShape, spec: ReferenceSpec): Omit<TableFacts, "mayRewrite"> {
  const column = shape.columns.get(spec.column.toLowerCase());
  return {
    tableExists: shape.exists,
    missingColumns: missingColumns(shape, spec),
    keyIsUnique: isUniqueKey(shape, spec.key),
    columnIsIndexed: indexOn(shape, spec.column) !== null,
    columnIsUnique: shape.indexes.some(
      ({ unique, columns }) => unique && columns.some(({ name }) => name === spec.column.toLowerCase()),
    ),
    columnLength: column?.length ?? null,
    columnType: column?.columnType ?? "",
    collation: column?.collation ?? null,
    estimatedRows: shape.estimatedRows,
    selfUpdatingColumns: [...shape.columns.values()]
      .filter((each) => each.updatesItself)
      .map(({ name }) => name),
    triggers: shape.triggers,
  };
}
