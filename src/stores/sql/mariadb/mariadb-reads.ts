/** Reads the rows that hold some values, or whose values have some prefixes. */

import type { ReferencedRow, RowSearch, StatementLimiter } from "../../../ports/reference-table.ts";
import { PrefixSet } from "../prefix-set.ts";
import { chunksOf } from "../statement-chunks.ts";
import { canHold, text, textOf } from "./mariadb-literals.ts";
import { findRowsSql, matchingSql, startingSql } from "./mariadb-lookup.ts";
import type { ResultRow } from "./mariadb-sessions.ts";
import { nativeLiteral, type Plan } from "./mariadb-statements.ts";

/** Values in one reading statement; it takes no locks. */
export const MOST_LISTED = 10_000;
/** Prefixes in one reading statement: each is a range that the optimizer weighs (measured, docs/facts.md). */
const MOST_PREFIXES = 4000;
/** Rows one look-up may give; a list that has more is halved, and of a single value the first so many are enough. */
const MAX_ROWS_READ = 50_000;

export interface ReadsParts {
  /** Runs one SELECT, whose text is made again where the plan has changed. */
  readonly select: (
    limiter: StatementLimiter,
    sqlOf: (plan: Plan) => string,
  ) => Promise<readonly ResultRow[]>;
  /** Bytes that a statement's lists may have. */
  readonly listBytes: () => number;
}

export class MariadbReads {
  readonly #parts: ReadsParts;

  constructor(parts: ReadsParts) {
    this.#parts = parts;
  }

  /** Rows that hold exactly one of `values`. The server finds them by collation; what is exact is decided here. */
  async findRows(
    plan: Plan,
    values: readonly string[],
    within: "anywhere" | "where",
    limiter: StatementLimiter,
  ): Promise<ReferencedRow[]> {
    if (values.length === 0) return [];
    const { select, listBytes } = this.#parts;
    const found: ReferencedRow[] = [];
    const chunks = [...valueLists(plan, values, listBytes())];
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const list = chunk;
      const rows = await select(limiter, (current) => findRowsSql(current, list, within, MAX_ROWS_READ));
      if (rows.length === MAX_ROWS_READ && list.length > 1) {
        chunks.unshift(...halved(list));
        continue;
      }
      // Of this list alone: a row that the collation finds by the values of two lists must not be found twice.
      const wanted = new Set(list);
      found.push(...referencedRows(rows).filter(({ value }) => wanted.has(value)));
    }
    return found;
  }

  /** See the port's `starting`. */
  async starting(
    plan: Plan,
    valuePrefix: string,
    most: number,
    limiter: StatementLimiter,
  ): Promise<ReferencedRow[] | null> {
    if (canHold(plan.facts.charset, valuePrefix) !== true) return [];
    if (plan.byColumn === "" || !/[!-~]/.test(valuePrefix)) return null;
    const rows = await this.#parts.select(limiter, (current) => startingSql(current, valuePrefix, most));
    return rows.length >= most ? null : referencedRows(rows.filter(([, value]) => value !== null));
  }

  /** See the port's `matching`. A search that gives as many rows as a statement may is repeated in halves. */
  async matching(plan: Plan, search: RowSearch, limiter: StatementLimiter): Promise<ReferencedRow[]> {
    const { select, listBytes } = this.#parts;
    const prefixes = new PrefixSet(holdable(plan, [...search.prefixes, ...search.samples]));
    // Half of a statement's bytes for each list; a pattern doubles its backslashes, and the literal doubles them again.
    const bytesOf = (value: string) => 2 * Buffer.byteLength(text(value)) + 64;
    const half = listBytes() >> 1;
    const statements = zipped(
      valueLists(plan, search.values, half),
      chunksOf(holdable(plan, search.prefixes), MOST_PREFIXES, half, bytesOf),
      holdable(plan, search.samples),
    );
    const values = new Set(search.values);
    const found: ReferencedRow[] = [];
    for (let next = statements.shift(); next !== undefined; next = statements.shift()) {
      const lists = next;
      const rows = await select(limiter, (current) => matchingSql(current, lists, MAX_ROWS_READ));
      if (rows.length >= MAX_ROWS_READ && lists.values.length + lists.prefixes.length > 1) {
        statements.unshift(...halvesOf(lists));
        continue;
      }
      found.push(...referencedRows(rows).filter(({ value }) => values.has(value) || prefixes.matches(value)));
    }
    return found;
  }
}

/** Those that the column's character set can hold: the others are in no row. */
function holdable({ facts }: Plan, values: readonly string[]): string[] {
  return values.filter((value) => canHold(facts.charset, value) === true);
}

/** The different ones of `values` in lists of at most `maxBytes` of text, one for each statement. */
function valueLists(plan: Plan, values: readonly string[], maxBytes: number) {
  const bytesOf = (value: string) => Buffer.byteLength(nativeLiteral(plan, value));
  return chunksOf([...new Set(holdable(plan, values))], MOST_LISTED, maxBytes, bytesOf);
}

/** Rows of a key and a value. */
export function referencedRows(rows: readonly ResultRow[]): ReferencedRow[] {
  return rows.map(([id, value]) => ({ id: String(id), value: textOf(value) }));
}

/** As few statements as the longer list needs; the samples go with the first. */
function zipped(
  values: readonly (readonly string[])[],
  prefixes: readonly (readonly string[])[],
  samples: readonly string[],
): RowSearch[] {
  const count = Math.max(values.length, prefixes.length, samples.length > 0 ? 1 : 0);
  return Array.from({ length: count }, (_, at) => ({
    values: values[at] ?? [],
    prefixes: prefixes[at] ?? [],
    samples: at === 0 ? samples : [],
  }));
}

/** Of a search with too many rows: its values and its prefixes by themselves, or half of the one list. */
function halvesOf({ values, prefixes, samples }: RowSearch): RowSearch[] {
  const both = values.length > 0 && prefixes.length > 0;
  const [firstValues, otherValues] = both ? [values, []] : halved(values);
  const [firstPrefixes, otherPrefixes] = both ? [[], prefixes] : halved(prefixes);
  return [
    { values: firstValues, prefixes: firstPrefixes, samples },
    { values: otherValues, prefixes: otherPrefixes, samples: [] },
  ];
}

function halved(list: readonly string[]): [readonly string[], readonly string[]] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}
