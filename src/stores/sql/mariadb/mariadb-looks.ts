/** Reads the rows that hold some values, or that begin with some prefixes. */

import type { ReferencedRow, RowQuestion, StatementPass } from "../../../ports/reference-table.ts";
import { Beginnings } from "../beginnings.ts";
import { chunksOf } from "../statement-chunks.ts";
import { type MatchingLists, matchingSql } from "./mariadb-beginnings.ts";
import { canHold, stored, text } from "./mariadb-literals.ts";
import { findRowsSql, lookUpLists, startingSql } from "./mariadb-lookup.ts";
import type { Cells } from "./mariadb-sessions.ts";
import type { Plan } from "./mariadb-statements.ts";

/** Values in one reading statement; it takes no locks. */
export const MOST_LISTED = 10_000;
/** Beginnings in one reading statement: each is a range that the optimizer weighs (measured, docs/facts.md). */
const MOST_BEGINNINGS = 4000;
/** Rows one look-up may give; a list that has more is halved, and of a single value the first so many are enough. */
const MAX_ROWS_READ = 50_000;

export interface LooksParts {
  /** Runs one SELECT, whose text is made anew where the plan has changed. */
  readonly select: (pass: StatementPass, sqlOf: (plan: Plan) => string) => Promise<readonly Cells[]>;
  /** Bytes that a statement's lists may have. */
  readonly listBytes: () => number;
}

export class MariadbLooks {
  readonly #parts: LooksParts;

  constructor(parts: LooksParts) {
    this.#parts = parts;
  }

  /** Rows that hold exactly one of `values`. The server finds them by collation; what is exact is decided here. */
  async holding(
    plan: Plan,
    values: readonly string[],
    within: "anywhere" | "where",
    pass: StatementPass,
  ): Promise<ReferencedRow[]> {
    if (values.length === 0) return [];
    const { select, listBytes } = this.#parts;
    const found: ReferencedRow[] = [];
    const chunks = lookUpLists(plan, holdable(plan, values), MOST_LISTED, listBytes());
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const list = chunk;
      const rows = await select(pass, (current) => findRowsSql(current, list, within, MAX_ROWS_READ));
      if (rows.length === MAX_ROWS_READ && list.length > 1) {
        chunks.unshift(list.slice(0, list.length >> 1), list.slice(list.length >> 1));
        continue;
      }
      // Of this list alone: a row that the collation finds by the values of two lists must not be found twice.
      found.push(...exactly(new Set(list), rows));
    }
    return found;
  }

  /** See the port's `starting`. */
  async starting(
    plan: Plan,
    valuePrefix: string,
    most: number,
    pass: StatementPass,
  ): Promise<ReferencedRow[] | null> {
    if (canHold(plan.facts.charset, valuePrefix) !== true) return [];
    if (plan.byColumn === "" || !/[!-~]/.test(valuePrefix)) return null;
    const rows = await this.#parts.select(pass, (current) => startingSql(current, valuePrefix, most));
    if (rows.length >= most) return null;
    return rows.flatMap(([id, cell]) => (cell === null ? [] : [{ id: String(id), value: stored(cell) }]));
  }

  /**
   * Rows that `question` asks for, as {@link MariadbLooks.holding} decides on them. One that more rows answer than a
   * statement gives is asked again in halves.
   */
  async matching(plan: Plan, question: RowQuestion, pass: StatementPass): Promise<ReferencedRow[]> {
    const { select, listBytes } = this.#parts;
    const values = new Set(holdable(plan, question.values));
    const beginnings = new Beginnings(holdable(plan, [...question.beginnings, ...question.samples]));
    // Half of a statement's bytes for each list; a pattern doubles its backslashes, and the literal doubles them again.
    const bytesOf = (value: string) => 2 * Buffer.byteLength(text(value)) + 64;
    const half = listBytes() >> 1;
    const statements = zipped(
      lookUpLists(plan, [...values], MOST_LISTED, half),
      chunksOf(holdable(plan, question.beginnings), MOST_BEGINNINGS, half, bytesOf),
      holdable(plan, question.samples),
    );
    const found: ReferencedRow[] = [];
    for (let next = statements.shift(); next !== undefined; next = statements.shift()) {
      const lists = next;
      const rows = await select(pass, (current) => matchingSql(current, lists, MAX_ROWS_READ));
      if (rows.length >= MAX_ROWS_READ && lists.values.length + lists.beginnings.length > 1) {
        statements.unshift(...halves(lists));
        continue;
      }
      for (const [id, cell] of rows) {
        const value = stored(cell);
        if (values.has(value) || beginnings.begin(value)) found.push({ id: String(id), value });
      }
    }
    return found;
  }
}

/** Those that the column's character set can hold: the others are in no row. */
function holdable({ facts }: Plan, values: readonly string[]): string[] {
  return values.filter((value) => canHold(facts.charset, value) === true);
}

/** The rows that hold one of `values` byte for byte. */
function exactly(values: ReadonlySet<string>, rows: readonly Cells[]): ReferencedRow[] {
  const found: ReferencedRow[] = [];
  for (const [id, cell] of rows) {
    const value = stored(cell);
    if (values.has(value)) found.push({ id: String(id), value });
  }
  return found;
}

/** As few statements as the longer list needs; the samples go with the first. */
function zipped(
  values: readonly (readonly string[])[],
  beginnings: readonly (readonly string[])[],
  samples: readonly string[],
): MatchingLists[] {
  const count = Math.max(values.length, beginnings.length, samples.length > 0 ? 1 : 0);
  return Array.from({ length: count }, (_, at) => ({
    values: values[at] ?? [],
    beginnings: beginnings[at] ?? [],
    samples: at === 0 ? samples : [],
  }));
}

/** Of a question that too many rows answer: its values and its beginnings by themselves, or half of the one list. */
function halves({ values, beginnings, samples }: MatchingLists): MatchingLists[] {
  if (values.length > 0 && beginnings.length > 0) {
    return [
      { values, beginnings: [], samples },
      { values: [], beginnings, samples: [] },
    ];
  }
  const cut = (list: readonly string[], half: 0 | 1) => {
    const middle = list.length >> 1;
    return half === 0 ? list.slice(0, middle) : list.slice(middle);
  };
  return ([0, 1] as const).map((half) => ({
    values: cut(values, half),
    beginnings: cut(beginnings, half),
    samples: half === 0 ? samples : [],
  }));
}
