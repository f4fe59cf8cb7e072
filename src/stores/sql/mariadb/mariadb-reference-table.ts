/** A reference's table in MariaDB or MySQL: plans its statements once, keeps them short, narrows down what fails. */

import { DomainError } from "../../../domain/errors.ts";
import type { ReferenceSpec } from "../../../domain/job-spec.ts";
import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";
import {
  type ReferencedRow,
  type ReferenceTable,
  type RewriteFailure,
  type RewriteResult,
  type RowSearch,
  type StatementLimiter,
  type TableFacts,
  unlimitedStatements,
} from "../../../ports/reference-table.ts";
import { rewriteInOrder } from "../bisect-rewrite.ts";
import { PageWindows, type WindowRow } from "../page-windows.ts";
import { assertRewritable, assertSpec } from "../reference-rules.ts";
import { chunksOf } from "../statement-chunks.ts";
import { foreseenFailure } from "./foreseen-failure.ts";
import { readShape, tableFactsOf } from "./mariadb-facts.ts";
import { canHold, text, textOf } from "./mariadb-literals.ts";
import { MariadbReads, MOST_LISTED } from "./mariadb-reads.ts";
import { MariadbRewrites } from "./mariadb-rewrites.ts";
import { mayRewrite } from "./mariadb-rights.ts";
import type { MariadbSessions } from "./mariadb-sessions.ts";
import { existingSql, type Plan, pageSql } from "./mariadb-statements.ts";
import { MariadbTablePlan } from "./mariadb-table-plan.ts";
import { StatementSize } from "./statement-size.ts";

/**
 * Values in one rewriting statement: 1,000 usually take 11–25 ms, which is how long their rows stay locked. Planning and
 * the check before a deletion take a statement each for 1,000 objects, which leaves two of 500 for rewriting within a
 * budget of four. Of URLs the check takes two.
 */
const [MAX_REWRITE, MAX_REWRITE_OF_KEYS] = [1000, 500];
/** Where statements take longer than this they get fewer values. Budget: no row is locked for more than 50 ms. */
const LONG_REWRITE_MS = 40;
/** Room for a statement's text around its lists. */
const FRAME_BYTES = 64 * 1024;

export class MariadbReferenceTable implements ReferenceTable {
  readonly database: string;
  readonly #sessions: MariadbSessions;
  readonly #spec: ReferenceSpec;
  readonly #statements: Record<string, number>;
  readonly #plan: MariadbTablePlan;
  readonly #pages: PageWindows;
  readonly #size: StatementSize;
  readonly #valuesEach: number;
  readonly #reads: MariadbReads;
  readonly #rewrites: MariadbRewrites;

  constructor(
    sessions: MariadbSessions,
    spec: ReferenceSpec,
    statements: Record<string, number>,
    {
      longRewriteMs = LONG_REWRITE_MS,
      needsIndex = false,
    }: {
      readonly longRewriteMs?: number;
      /** Whether statements by the column's value are refused (`database_refused`) where no index can find it. */
      readonly needsIndex?: boolean;
    } = {},
  ) {
    assertSpec(spec);
    this.#size = new StatementSize(MAX_REWRITE, longRewriteMs);
    this.#valuesEach = spec.urlPrefix === null ? MAX_REWRITE_OF_KEYS : MAX_REWRITE;
    this.database = sessions.name;
    this.#sessions = sessions;
    this.#spec = spec;
    this.#plan = new MariadbTablePlan(sessions, spec, needsIndex);
    this.#statements = statements;
    this.#rewrites = new MariadbRewrites({
      ...{ sessions, plan: this.#plan, size: this.#size },
      onSend: () => this.#count(),
      select: (limiter, sqlOf) => this.#select(limiter, sqlOf),
    });
    this.#reads = new MariadbReads({
      select: (limiter, sqlOf) => this.#select(limiter, sqlOf),
      listBytes: () => this.#listBytes(),
    });
    this.#pages = new PageWindows((...window) => this.#window(...window));
  }

  async inspect(): Promise<TableFacts> {
    const shape = await readShape(this.#sessions, this.#spec.table);
    const rights = await mayRewrite(this.#sessions, this.#spec, shape);
    return { ...tableFactsOf(shape, this.#spec), mayRewrite: rights };
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
    return this.#reads.starting(await this.#plan.holding([valuePrefix], limiter), valuePrefix, most, limiter);
  }

  async findRows(
    values: readonly string[],
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ReferencedRow[]> {
    return this.#reads.findRows(await this.#plan.holding(values, limiter), values, "anywhere", limiter);
  }

  async matching(
    search: RowSearch,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<readonly ReferencedRow[]> {
    const values = [...search.values, ...search.prefixes, ...search.samples];
    return this.#reads.matching(await this.#plan.holding(values, limiter), search, limiter);
  }

  async existing(
    ids: readonly string[],
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<ReadonlySet<string>> {
    const plan = await this.#plan.current(limiter);
    const wanted = new Set(ids);
    const literals = [...wanted].map((id) => plan.keyType.literal(id)).filter((literal) => literal !== null);
    const found = new Set<string>();
    for (const chunk of chunksOf(literals, MOST_LISTED, this.#listBytes(), Buffer.byteLength)) {
      for (const [id] of await this.#select(limiter, (current) => existingSql(current, chunk))) {
        // The server may find `A` for `a`: that is another key.
        if (wanted.has(String(id))) found.add(String(id));
      }
    }
    return found;
  }

  async rewrite(
    values: readonly string[],
    change: PrefixChange,
    limiter: StatementLimiter = unlimitedStatements,
  ): Promise<RewriteResult> {
    assertRewritable(values, change);
    const plan = await this.#plan.holding(values, limiter);
    const holdable = values.filter((value) => canHold(plan.facts.charset, value) === true);
    const foreseen = new Map<string, RewriteFailure>();
    for (const value of holdable) {
      const failure = foreseenFailure(plan.facts, value, change);
      if (failure !== null) foreseen.set(value, failure);
    }
    const held = await this.#reads.findRows(plan, [...foreseen.keys()], "where", limiter);
    const present = new Set(held.map(({ value }) => value));
    const { rows, failures } = await rewriteInOrder(
      holdable.filter((value) => !foreseen.has(value)),
      change,
      (layer) => this.#cut(layer),
      (piece) => this.#rewrites.attempt(piece, change, limiter),
    );
    return {
      rows,
      failures: [...[...foreseen.values()].filter(({ value }) => present.has(value)), ...failures],
    };
  }

  async ping(): Promise<void> {
    await this.#sessions.select("SELECT 1", () => this.#count());
  }

  async #window(
    afterId: string | null,
    prefix: string,
    rows: number,
    limiter: StatementLimiter,
  ): Promise<readonly WindowRow[]> {
    if (!prefix.isWellFormed()) return [];
    const cells = await this.#select(limiter, (plan) => {
      if (!plan.keyIsUnique)
        throw this.#refused(`rows cannot be paged by ${this.#spec.key}: it is not unique`);
      const after = afterId === null ? null : plan.keyType.literal(afterId);
      if (afterId !== null && after === null) throw this.#refused(`${afterId} is no ${this.#spec.key}`);
      return pageSql(plan, after, prefix, rows);
    });
    return cells.map(([id, value]) => ({ id: String(id), value: value === null ? null : textOf(value) }));
  }

  async #select(
    limiter: StatementLimiter,
    sqlOf: (plan: Plan) => string,
  ): ReturnType<MariadbSessions["select"]> {
    return this.#plan.run(limiter, (plan) =>
      this.#sessions.select(sqlOf(plan), () => this.#count(), limiter),
    );
  }

  #cut(values: readonly string[]): readonly (readonly string[])[] {
    const each = this.#size.evenly(values.length, this.#valuesEach);
    // Each value stands in two lists, escaped.
    return chunksOf(values, each, this.#listBytes(), (value) => 2 * Buffer.byteLength(text(value)) + 16);
  }

  #listBytes(): number {
    return this.#sessions.statementBytes - FRAME_BYTES;
  }

  #count(): void {
    this.#statements[this.database] = (this.#statements[this.database] ?? 0) + 1;
  }

  #refused(what: string): DomainError {
    return new DomainError(
      "database_refused",
      `database "${this.database}", table "${this.#spec.table}": ${what}`,
    );
  }
}
