/** Values that stand side by side in a column's index are found by the range they fill: a list is looked up one by one. */

import { type AsciiOrder, compare } from "./collation-order.ts";
import { text } from "./mariadb/mariadb-literals.ts";
import { listed, nativeLiteral, type Plan } from "./mariadb/mariadb-statements.ts";
import { type Part, RangeMemory } from "./range-memory.ts";

/** Neighbours looked for at once: as many as one rewriting statement usually takes. */
const RANGE_VALUES = 500;
/** Fewer values are not worth a range. */
const LEAST_VALUES = 20;
/** Of the values of a range, between the first and the last that are rewritten, so many must be. */
const LEAST_SHARE = 0.8;
/** The part of a range that a statement rewrites must be as much of it, or the others may all lie there. */
const LEAST_PART = 0.25;
/** More are not looked at in one statement. */
const MOST_VALUES = 10_000;
/** Rows of a range beside those that were looked for: a part of them and some. It is then hardly more work than its rows. */
const [OTHERS_SHARE, OTHERS] = [0.125, 10];
/** Where the values of a statement lie in more ranges than this, it is no longer simpler than a list. */
const [MOST_RANGES_READ, MOST_RANGES_REWRITTEN] = [24, 8];

interface Ends {
  readonly first: string;
  readonly last: string;
}

/** A look at whole ranges. */
export interface Survey {
  /** Neighbours each, in order. */
  readonly ranges: readonly (readonly string[])[];
  readonly order: AsciiOrder;
  readonly collation: string;
  /** What the rows' column must be, as SQL. */
  readonly condition: string;
  /** Rows that are given; where there are as many, some may be missing. */
  readonly most: number;
}

/**
 * Of one table: which values lay in ranges of little else when they were last looked at. What a range holds beside them is
 * read, and locked while it is rewritten. What it leaves out is not found: were the column's collation changed since the
 * table was looked at, the order could be another one. So a condition holds for no row then, and one that held for any row
 * was right for all of them, since no table is altered under a statement. What held for none must be asked again by list.
 */
export class ColumnRanges {
  readonly #memory = new RangeMemory();
  readonly #surveyPause = new Pause();
  readonly #rewritePause = new Pause();

  /**
   * How to look at all of `values`, which are different, by ranges; null where that is not possible or, by what was
   * seen, not worth it. A range ends where the order of `values` does: what comes in no order fills none.
   */
  findRowsToRewrite(plan: Plan, values: readonly string[]): Survey | null {
    const { order } = plan;
    if (order === null || values.length < LEAST_VALUES || values.length > MOST_VALUES) return null;
    const ranges = ascending(values, order);
    if (ranges.length > MOST_RANGES_READ || !this.#surveyPause.mayTry()) return null;
    const condition = inOrder(
      plan,
      ranges.map((range) => between(plan, endsOf(range))),
    );
    return {
      ranges,
      order,
      collation: collationOf(plan),
      condition,
      most: values.length + allOthersOf(ranges) + 1,
    };
  }

  /** The survey gave rows that hold `held`, at `now` (ms by any clock): whether all of its values' rows are among them. */
  surveyed({ ranges, order, collation, most }: Survey, held: readonly string[], now: number): boolean {
    const wanted = new Set(ranges.flat());
    const others = held.filter((value) => !wanted.has(value));
    const isComplete = held.length > 0 && held.length < most;
    // Also where the rows are all of others: there is nothing to rewrite.
    if (!isComplete || others.length > allOthersOf(ranges) || others.length === held.length) {
      this.#surveyPause.begin();
      return isComplete;
    }
    this.#surveyPause.end();
    const full = ranges.filter(
      (range) => others.filter((value) => mayBeIn(range, value, order)).length <= othersOf(range),
    );
    this.#memory.remember(full, collation, now);
    return true;
  }

  /**
   * A condition on the column that holds for rows of all `values` and few others, as SQL; null where ranges do not
   * help. What is known of the values is then known no more.
   */
  take(plan: Plan, values: readonly string[], now: number): string | null {
    const { parts: known, unknown } = this.#memory.take(values, now);
    // The ends are those of the order that the range was seen in.
    const isOfUse = (part: Part) => part.collation === collationOf(plan) && isWorthRange(part);
    const parts = known.filter(isOfUse);
    const others = [...unknown, ...known.filter((part) => !isOfUse(part)).flatMap((part) => part.values)];
    if (plan.order === null || parts.length === 0 || parts.length > MOST_RANGES_REWRITTEN) return null;
    if (!this.#rewritePause.mayTry()) return null;
    const ranges = parts.map(({ firstValue, lastValue }) =>
      between(plan, { first: firstValue, last: lastValue }),
    );
    return inOrder(plan, others.length > 0 ? [...ranges, listed(plan, others)] : ranges);
  }

  /** A condition that was taken served its statement. */
  served(): void {
    this.#rewritePause.end();
  }

  /** A condition that was taken was of no use: the next ones go without, one, two, four, up to 64 of them. */
  refused(): void {
    this.#rewritePause.begin();
  }
}

/** After a failure the next one, two, four, up to 64 tries are passed over; after a success it begins at one again. */
class Pause {
  static readonly #MOST = 64;
  #left = 0;
  #next = 1;

  /** Asked before each try, and counts it. */
  mayTry(): boolean {
    if (this.#left === 0) return true;
    this.#left -= 1;
    return false;
  }

  /** Several that were under way together fail as one. */
  begin(): void {
    if (this.#left > 0) return;
    this.#left = this.#next;
    this.#next = Math.min(Pause.#MOST, 2 * this.#next);
  }

  end(): void {
    this.#next = 1;
  }
}

/** `values` cut where they do not ascend, or not for certain, and at 500. */
function ascending(values: readonly string[], order: AsciiOrder): string[][] {
  const ranges: string[][] = [];
  let range: string[] = [];
  for (const value of values) {
    const before = range.at(-1);
    const step = before === undefined ? 1 : compare(value, before, order);
    // Those that are equal to the column, as they are where only case differs, ascend no less.
    if (range.length === 0 || step === null || step < 0 || range.length === RANGE_VALUES) {
      range = [];
      ranges.push(range);
    }
    range.push(value);
  }
  return ranges;
}

function isWorthRange({ values, span, ofValues }: Part): boolean {
  return values.length >= Math.max(LEAST_VALUES, LEAST_SHARE * span, LEAST_PART * ofValues);
}

function othersOf(range: readonly string[]): number {
  return Math.ceil(range.length * OTHERS_SHARE) + OTHERS;
}

function allOthersOf(ranges: readonly (readonly string[])[]): number {
  return ranges.reduce((sum, range) => sum + othersOf(range), 0);
}

function endsOf(range: readonly string[]): Ends {
  return { first: range[0] ?? "", last: range.at(-1) ?? "" };
}

/** Also where it is not known: a row too many costs nothing here. */
function mayBeIn(range: readonly string[], value: string, order: AsciiOrder): boolean {
  const { first, last } = endsOf(range);
  return (compare(value, first, order) ?? 0) >= 0 && (compare(value, last, order) ?? 0) <= 0;
}

function between(plan: Plan, { first, last }: Ends): string {
  return `${plan.column} BETWEEN ${nativeLiteral(plan, first)} AND ${nativeLiteral(plan, last)}`;
}

/** Any of the conditions, in a column that is still ordered as planned. */
function inOrder(plan: Plan, conditions: readonly string[]): string {
  const any = conditions.length === 1 ? (conditions[0] ?? "") : `(${conditions.join(" OR ")})`;
  return `${any} AND COLLATION(${plan.column}) = ${text(collationOf(plan))}`;
}

function collationOf({ facts }: Plan): string {
  return facts.collation ?? "";
}
