/** Values that stand side by side in a column's index are found by the range they fill: a list is looked up one by one. */

import { type AsciiOrder, compare } from "./collation-order.ts";
import { listed, nativeLiteral, type Plan } from "./mariadb-statements.ts";

/** Neighbours looked for at once: as many as one rewriting statement usually takes. */
const RANGE_VALUES = 500;
/** Fewer values are not worth a range. */
const LEAST_VALUES = 20;
/** More are not looked at in one statement. */
const MOST_VALUES = 10_000;
/** Rows of a range beside those that were looked for: a part of them and some. A range is then hardly more work than its rows. */
const [OTHERS_SHARE, OTHERS] = [0.125, 10];
/** Of the values of a range, between the first and the last that are rewritten, so many must be. */
const LEAST_SHARE = 0.8;
/** So long what stood between the values is thought to be as it was. */
const REMEMBERED_MS = 300_000;
/** Values remembered: some batches that are planned and not yet rewritten. */
const MOST_REMEMBERED = 50_000;
/** After ranges that held too much, so many looks by list follow, twice as many each time. */
const MOST_PASSED_OVER = 64;
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
  /** What the rows' column must be, as SQL. */
  readonly condition: string;
  /** Rows that are given; where there are as many, some may be missing. */
  readonly most: number;
}

/** A value of a range that held little else. */
interface Place {
  readonly range: readonly string[];
  /** Where in the range. */
  readonly index: number;
  readonly seenAt: number;
}

/**
 * Of one table: which values lay in ranges of little else when they were last looked at. What a range leaves out, by an order
 * that is not the server's, is not found; what it holds beside the values is read, and locked while it is rewritten.
 */
export class ColumnRanges {
  readonly #places = new Map<string, Place>();
  #passOver = 0;
  #nextPause = 1;

  /**
   * How to look at all of `values`, which are different, by ranges; null where that is not possible or, by what was
   * seen, not worth it. A range ends where the order of `values` does: what comes in no order fills none.
   */
  survey(plan: Plan, values: readonly string[]): Survey | null {
    const { order } = plan;
    if (order === null || values.length < LEAST_VALUES || values.length > MOST_VALUES) return null;
    const ranges = ascending(values, order);
    if (ranges.length > MOST_RANGES_READ) return null;
    if (this.#passOver > 0) {
      this.#passOver -= 1;
      return null;
    }
    const condition = anyOf(ranges.map((range) => between(plan, endsOf(range))));
    const most = ranges.reduce((sum, range) => sum + range.length + othersOf(range) + 1, 0);
    return { ranges, order, condition, most };
  }

  /** The survey gave rows that hold `held`, at `now` (milliseconds by any clock): whether these are all, and can be relied on. */
  surveyed({ ranges, order, most }: Survey, held: readonly string[], now: number): boolean {
    if (held.length >= most) {
      this.#passOver = this.#nextPause;
      this.#nextPause = Math.min(MOST_PASSED_OVER, 2 * this.#nextPause);
      return false;
    }
    this.#nextPause = 1;
    // Nothing to rewrite, or an order that is not the server's: not to be used again.
    if (held.length === 0) return true;
    const wanted = new Set(ranges.flat());
    const others = held.filter((value) => !wanted.has(value));
    for (const range of ranges) {
      const within = others.filter((value) => mayBeIn(range, value, order));
      if (within.length > othersOf(range)) continue;
      for (const [index, value] of range.entries()) this.#remember(value, { range, index, seenAt: now });
    }
    return true;
  }

  /**
   * A condition on the column that holds for rows of all `values` and hardly any others, as SQL; null where ranges do not
   * help. Asked again for the same values it is null: whatever went wrong with a range must not go wrong twice.
   */
  condition(plan: Plan, values: readonly string[], now: number): string | null {
    const { groups, others } = this.#take(values, now);
    if (plan.order === null || groups.length === 0 || groups.length > MOST_RANGES_REWRITTEN) return null;
    const ranges = groups.map((ends) => between(plan, ends));
    return anyOf(others.length > 0 ? [...ranges, listed(plan, others)] : ranges);
  }

  /** `values` by the range they were seen in, and those for which that is no use; all are forgotten. */
  #take(values: readonly string[], now: number): { groups: Ends[]; others: string[] } {
    const byRange = new Map<readonly string[], { values: string[]; first: number; last: number }>();
    const others: string[] = [];
    for (const value of values) {
      const place = this.#places.get(value);
      this.#places.delete(value);
      if (place === undefined || now - place.seenAt > REMEMBERED_MS) {
        others.push(value);
        continue;
      }
      const { range, index } = place;
      const group = byRange.get(range);
      if (group === undefined) {
        byRange.set(range, { values: [value], first: index, last: index });
        continue;
      }
      group.values.push(value);
      group.first = Math.min(group.first, index);
      group.last = Math.max(group.last, index);
    }
    const groups: Ends[] = [];
    for (const [range, group] of byRange) {
      const [first, last] = [range[group.first], range[group.last]];
      const least = Math.max(LEAST_VALUES, LEAST_SHARE * (group.last - group.first + 1));
      if (first === undefined || last === undefined || group.values.length < least)
        others.push(...group.values);
      else groups.push({ first, last });
    }
    return { groups, others };
  }

  #remember(value: string, place: Place): void {
    this.#places.delete(value);
    this.#places.set(value, place);
    if (this.#places.size <= MOST_REMEMBERED) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
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

function othersOf(range: readonly string[]): number {
  return Math.ceil(range.length * OTHERS_SHARE) + OTHERS;
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

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 1 ? (conditions[0] ?? "") : `(${conditions.join(" OR ")})`;
}
