/** What the reference tables' suites share: a workshop to make tables in, and the values that trip databases up. */
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import type { Database } from "../../../src/stores/sql/open-database.ts";

/** A row of the suite's table; `updated` is the table's self-updating column, if it has one. */
export interface StoredRow {
  id: string;
  path: string;
  legacy: number | null;
  tenant: string | null;
}

/** A database with room for tables `(id, path, legacy, tenant)`. */
export interface Workshop {
  readonly database: Database;
  /** Creates the table with its column indexed; `unique` makes that index unique. */
  createTable(table: string, options?: { readonly unique?: boolean }): Promise<void>;
  insert(table: string, rows: readonly StoredRow[]): Promise<void>;
  /** All rows by id, past our own code. */
  rows(table: string): Promise<readonly StoredRow[]>;
  run(sql: string): Promise<void>;
  /** Gives the table a trigger that sets the path of every updated row to `path`, an expression over OLD and NEW. */
  createTrigger(table: string, path: string): Promise<void>;
  /** Whether the column can hold the value at all. */
  waits(value: string): boolean;
  close(): Promise<void>;
}

export const NAME = "app";

export function specOf(table: string, more: Partial<ReferenceSpec> = {}): ReferenceSpec {
  return {
    database: NAME,
    table,
    key: "id",
    column: "path",
    set: {},
    urlPrefix: null,
    where: {},
    keepUpdatedAt: true,
    ...more,
  };
}

/** Keys that collations, LIKE, escapes and paddings take for one another. */
export const HOSTILE = [
  "a.png",
  "A.png",
  "á.png",
  "a\u0301.png",
  "a.png ",
  "a.png  ",
  "a.png\t",
  "a.png\n",
  "ａ.png",
  "ß",
  "ss",
  "😀.png",
  "🎉.png",
  "👩‍👩‍👧.png",
  "it's",
  'say "hi"',
  "back\\slash",
  "back\\\\slash",
  "back\\",
  "100%",
  "100_",
  "1000",
  "\u0001\u001a\b",
  "`x`",
  "image/image/a.png",
  "../x",
  "//x",
  "",
  " ",
  "İı",
  "ﬀ",
  "\u200d",
  "?:1@x{}[]",
  "--; DROP TABLE x",
  "\uffff",
  "\ue000",
];
