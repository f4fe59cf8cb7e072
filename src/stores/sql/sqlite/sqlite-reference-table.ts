/** A reference's table in a SQLite file: the embedded counterpart of MariaDB's, with the same meaning. */

import type { Database } from "better-sqlite3";
import { DomainError, messageOf } from "../../../domain/errors.ts";
import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";
import {
  type ReferencedRow,
  type ReferenceTable,
  type RewriteResult,
  type RowSearch,
  type StatementLimiter,
  type TableFacts,
  unlimitedStatements,
} from "../../../ports/reference-table.ts";
import { rewriteInOrder, type StatementFailure } from "../bisect-rewrite.ts";
import { type CheckedStatements, checkedRewrite } from "../checked-rewrite.ts";
import { isMatch, PageWindows, type WindowRow } from "../page-windows.ts";
import { PrefixSet } from "../prefix-set.ts";
import { assertRewritable, assertSpec } from "../reference-rules.ts";
import { chunksOf } from "../statement-chunks.ts";
import { readFacts } from "./sqlite-facts.ts";
import { constraintExceptionCode, type SqliteFile, sqliteCode } from "./sqlite-file.ts";
import {
  byKeyStatement,
  findRowsStatement,
  heldStatement,
  pageStatement,
  prefixStatement,
  rewriteStatement,
  type SqlitePlan,
  type SqliteStatement,
  startingStatement,
} from "./sqlite-statements.ts";
import { planTable } from "./sqlite-table-plan.ts";

/** Values in one reading statement. */
const MAX_READ = 10_000;
/** Values in one rewriting statement, as in MariaDB; SQLite works in the process's only thread. */
const MAX_REWRITE = 1000;
const MAX_LIST_BYTES = 4 * 1024 * 1024;

export class SqliteReferenceTable implements ReferenceTable {
  readonly database: string;
  readonly #file: SqliteFile;
  readonly #spec: ReferenceSpec;
  readonly #statements: Record<string, number>;
  readonly #pages = new PageWindows((...window) => this.#window(...window));
  #plan: { readonly plan: SqlitePlan; readonly keyIsUnique: boolean } | null = null;

  constructor(file: SqliteFile, spec: ReferenceSpec, statements: Record<string, number>) {
    assertSpec(spec);
    this.database = file.name;
    this.#file = file;
    this.#spec = spec;
    this.#statements = statements;
  }

  async inspect(): Promise<TableFacts> {
    return this.#file.use((connection) => readFacts(connection, this.#spec));
  }

  async page(
    afterId: string | null,
    valuePrefix: string,
    limit: number,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ReferencedRow[]> {
    return this.#pages.page(afterId, valuePrefix, limit, limiter);
  }

  async starting(
    valuePrefix: string,
    most: number,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ReferencedRow[] | null> {
    if (!valuePrefix.isWellFormed()) return [];
    const isIndexed = await this.#file.use((connection) => this.#planned(connection).plan.columnIsIndexed);
    if (!isIndexed) return null;
    const rows = await this.#all<WindowRow>(limiter, (plan) => startingStatement(plan, valuePrefix, most));
    if (rows.length >= most) return null;
    return rows.filter(isMatch);
  }

  async findRows(
    values: readonly string[],
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ReferencedRow[]> {
    const wanted = new Set(values.filter((value) => value.isWellFormed()));
    const found: ReferencedRow[] = [];
    for (const chunk of chunksOf([...wanted], MAX_READ, MAX_LIST_BYTES, Buffer.byteLength)) {
      const rows = await this.#all<ReferencedRow>(limiter, (plan) => findRowsStatement(plan, chunk));
      found.push(...rows.filter(({ value }) => wanted.has(value)));
    }
    return found;
  }

  async matching(
    { values, prefixes, samples }: RowSearch,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ReferencedRow[]> {
    const found: ReferencedRow[] = [...(await this.findRows(values, limiter))];
    const wanted = new PrefixSet([...prefixes, ...samples]);
    const read = async (list: readonly string[], most: number | null) => {
      const rows = await this.#all<ReferencedRow>(limiter, (plan) => prefixStatement(plan, list, most));
      found.push(...rows.filter(({ value }) => typeof value === "string" && wanted.matches(value)));
    };
    const wellFormed = prefixes.filter((prefix) => prefix.isWellFormed());
    for (const chunk of chunksOf(wellFormed, MAX_READ, MAX_LIST_BYTES, Buffer.byteLength))
      await read(chunk, null);
    for (const sample of samples) if (sample.isWellFormed()) await read([sample], 1);
    return found;
  }

  async existing(
    ids: readonly string[],
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<ReadonlySet<string>> {
    const wanted = new Set(ids.filter((id) => id.isWellFormed()));
    const found = new Set<string>();
    for (const chunk of chunksOf([...wanted], MAX_READ, MAX_LIST_BYTES, Buffer.byteLength)) {
      const rows = await this.#all<{ readonly id: string }>(limiter, (plan) => byKeyStatement(plan, chunk));
      for (const { id } of rows) if (wanted.has(id)) found.add(id);
    }
    return found;
  }

  async rewrite(
    values: readonly string[],
    change: PrefixChange,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<RewriteResult> {
    assertRewritable(values, change);
    const wellFormed = change.to.isWellFormed() ? values.filter((value) => value.isWellFormed()) : [];
    return rewriteInOrder(
      wellFormed,
      change,
      (layer) => chunksOf(layer, MAX_REWRITE, MAX_LIST_BYTES, Buffer.byteLength),
      (piece) => this.#attempt(piece, change, limiter),
    );
  }

  async ping(): Promise<void> {
    await this.#file.use((connection) => {
      this.#count();
      connection.prepare("SELECT 1").get();
    });
  }

  async #window(
    afterId: string | null,
    prefix: string,
    rows: number,
    limiter: StatementLimiter,
  ): Promise<readonly WindowRow[]> {
    if (!prefix.isWellFormed()) return [];
    return this.#all<WindowRow>(limiter, (plan, keyIsUnique) => {
      if (!keyIsUnique) {
        const message = `table "${this.#spec.table}": rows cannot be paged by ${this.#spec.key}: it is not unique`;
        throw new DomainError("database_refused", `database "${this.database}", ${message}`);
      }
      return pageStatement(plan, afterId, prefix, rows);
    });
  }

  async #attempt(
    values: readonly string[],
    change: PrefixChange,
    limiter: StatementLimiter,
  ): Promise<RewriteResult | StatementFailure> {
    let rows = 0;
    try {
      // Rows whose value stays as it is hold it before and after.
      if (change.to === change.from || !(await this.#hasTriggers(limiter))) {
        return { rows: await this.#update(values, change, null, limiter), failures: [] };
      }
      const statements: CheckedStatements = {
        held: (held, most) => this.#all<ReferencedRow>(limiter, (plan) => heldStatement(plan, held, most)),
        rewrite: async (held, ids) => void (await this.#update(held, change, ids, limiter)),
        now: (ids) => this.#all<ReferencedRow>(limiter, (plan) => byKeyStatement(plan, ids)),
        onRewritten: (more) => {
          rows += more;
        },
      };
      const failures = await checkedRewrite(statements, values, change, MAX_READ);
      return { rows, failures };
    } catch (error) {
      const code = sqliteCode(error);
      if (code === null) throw error;
      return { kind: "row", code: constraintExceptionCode(code), message: messageOf(error), rows };
    }
  }

  /** Changes the rows that hold one of `values` (of `ids` alone, where given), and gives their number. */
  async #update(
    values: readonly string[],
    change: PrefixChange,
    ids: readonly string[] | null,
    limiter: StatementLimiter,
  ): Promise<number> {
    return this.#file.use((connection) => {
      const { sql, parameters } = rewriteStatement(this.#planned(connection).plan, values, change, ids);
      const statement = connection.prepare(sql);
      this.#count();
      return statement.run(...parameters).changes;
    }, limiter);
  }

  /** As the plan was made, which the first call's statement waits for. */
  async #hasTriggers(limiter: StatementLimiter): Promise<boolean> {
    if (this.#plan !== null) return this.#plan.plan.hasTriggers;
    return this.#file.use((connection) => this.#planned(connection).plan.hasTriggers, limiter);
  }

  async #all<Row>(
    limiter: StatementLimiter,
    statementOf: (plan: SqlitePlan, keyIsUnique: boolean) => SqliteStatement,
  ): Promise<readonly Row[]> {
    const run = (connection: Database): readonly Row[] => {
      const { plan, keyIsUnique } = this.#planned(connection);
      const { sql, parameters } = statementOf(plan, keyIsUnique);
      const statement = connection.prepare<unknown[], Row>(sql);
      this.#count();
      return statement.all(...parameters);
    };
    return this.#file.use(run, limiter);
  }

  #planned(connection: Database): { readonly plan: SqlitePlan; readonly keyIsUnique: boolean } {
    this.#plan ??= planTable(connection, this.#spec);
    return this.#plan;
  }

  #count(): void {
    this.#statements[this.database] = (this.#statements[this.database] ?? 0) + 1;
  }
}
