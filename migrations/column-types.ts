/** Column types that both SQLite and MariaDB/MySQL understand, so that one set of migrations serves both. */

/** What a text or bytes column is called in one kind of database. */
export interface ColumnTypes {
  /** Opaque bytes, up to 16 MB. */
  readonly bytes: { readonly type: "mediumblob" | "blob" };
  /** Any text, up to 16 MB; never compared. */
  readonly text: {
    readonly type: "mediumtext" | "text";
    readonly charset?: string;
    readonly collation?: string;
  };
  /** Short text that is compared; by code points, whatever the schema's default collation. */
  readonly word: (length: string) => {
    readonly type: "varchar";
    readonly length: string;
    readonly charset?: string;
    readonly collation?: string;
  };
}

const UTF8 = { charset: "utf8mb4", collation: "utf8mb4_bin" } as const;

const SQLITE: ColumnTypes = {
  bytes: { type: "blob" },
  text: { type: "text" },
  word: (length) => ({ type: "varchar", length }),
};

const MYSQL: ColumnTypes = {
  bytes: { type: "mediumblob" },
  text: { type: "mediumtext", ...UTF8 },
  word: (length) => ({ type: "varchar", length, ...UTF8 }),
};

/** The column types of a TypeORM data source of type `dialect`. */
export function columnTypes(dialect: string): ColumnTypes {
  return dialect === "better-sqlite3" ? SQLITE : MYSQL;
}
