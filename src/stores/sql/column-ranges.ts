/** Values that stand side by side in a column's index are found by the range they fill: a list is looked up one by one. */

import { type AsciiOrder, asciiOrderOf, type Ends, endsOf } from "./collation-order.ts";
import { listed, nativeLiteral, type Plan } from "./mariadb-statements.ts";

/** Neighbours looked for at once: what one rewriting statement takes, as two batches may be far from each other. */
const RANGE_VALUES = 500;
/** Fewer values are not worth a range. */
const LEAST_VALUES = 20;
/** More are not looked at in one statement. */
const MOST_VALUES = 10_000;
/** Rows read beside those that were looked for: a part of them and some. A range is then hardly more work than its rows. */
const [OTHERS_SHARE, OTHERS] = [0.125, 50];
/** So long what stood between the values is thought to be as it was. */
const REMEMBERED_MS = 300_000;
/** Values remembered: some batches that are planned and not yet rewritten. */
const MOST_REMEMBERED = 50_000;
/** After ranges that held too much, so many looks by list follow, twice as many each time. */
const MOST_PASSED_OVER = 64;
/** Where the values of a statement lie in more ranges than this, it is no longer simpler than a list. */
const MOST_RANGES = 8;

/** A look at whole ranges. */
export interface Survey {
  readonly ranges: readonly (readonly string[])[];
  /** What the rows' column must be, as SQL. */
  readonly condition: string;
  /** Rows that may be read; where there are as many, something was left out. */
  readonly most: number;
}

interface Noted {
  readonly at: number;
}

/**
 * Of one table: which values lay in ranges of little else when they were last looked at. What a range leaves out, by an order
 * that is not the server's, would not be found, and so {@link endsOf} must be certain; what it holds too much is only read.
 */
export class ColumnRanges {
  readonly #notedOf = new Map<string, Noted>();
  #passOver = 0;
  #nextTime = 1;

  /** How to look at all `values` by ranges; null where that is not possible or, by what was seen, not worth it. */
  survey(plan: Plan, values: readonly string[]): Survey | null {
    const order = orderFor(plan);
    if (order === null || values.length < LEAST_VALUES || values.length > MOST_VALUES) return null;
    if (this.#passOver > 0) {
      this.#passOver -= 1;
      return null;
    }
    const ranges = cut(values);
    const ends = ranges.map((range) => endsOf(range, order));
    if (!ends.every((each) => each !== null)) return null;
    const most = values.length + Math.ceil(values.length * OTHERS_SHARE) + OTHERS;
    return { ranges, condition: anyOf(ends.map((each) => between(plan, each))), most };
  }

  /** The survey gave `rows` rows, at `now` (milliseconds by any clock): whether these are all, and can be relied on. */
  surveyed({ ranges, most }: Survey, rows: number, now: number): boolean {
    if (rows >= most) {
      this.#passOver = this.#nextTime;
      this.#nextTime = Math.min(MOST_PASSED_OVER, 2 * this.#nextTime);
      return false;
    }
    this.#nextTime = 1;
    for (const range of ranges) {
      const noted = { at: now };
      for (const value of range) this.#note(value, noted);
    }
    return true;
  }

  /**
   * Which rows hold `values` and, where ranges are known, a little more: SQL for the column. Asked again for the same
   * values it is their list: whatever went wrong with a range must not go wrong twice.
   */
  condition(plan: Plan, values: readonly string[], now: number): string {
    const { groups, others } = this.#take(values, now);
    const order = orderFor(plan);
    const ends = order === null ? [] : groups.map((group) => endsOf(group, order));
    if (ends.length === 0 || ends.length > MOST_RANGES || !ends.every((each) => each !== null))
      return listed(plan, values);
    const ranges = ends.map((each) => between(plan, each));
    return anyOf(others.length > 0 ? [...ranges, listed(plan, others)] : ranges);
  }

  /** `values` by the range they were seen in, and those that were not; all are forgotten. */
  #take(values: readonly string[], now: number): { groups: string[][]; others: string[] } {
    const byRange = new Map<Noted, string[]>();
    const others: string[] = [];
    for (const value of values) {
      const noted = this.#notedOf.get(value);
      this.#notedOf.delete(value);
      if (noted === undefined || now - noted.at > REMEMBERED_MS) {
        others.push(value);
        continue;
      }
      const group = byRange.get(noted);
      if (group === undefined) byRange.set(noted, [value]);
      else group.push(value);
    }
    const groups: string[][] = [];
    for (const group of byRange.values()) {
      if (group.length < LEAST_VALUES) others.push(...group);
      else groups.push(group);
    }
    return { groups, others };
  }

  #note(value: string, noted: Noted): void {
    this.#notedOf.delete(value);
    this.#notedOf.set(value, noted);
    if (this.#notedOf.size <= MOST_REMEMBERED) return;
    for (const oldest of this.#notedOf.keys()) {
      this.#notedOf.delete(oldest);
      return;
    }
  }
}

/** Only through an index by name: otherwise the server might read the whole table for a range. */
function orderFor(plan: Plan): AsciiOrder | null {
  return plan.byColumn === "" ? null : asciiOrderOf(plan.facts);
}

function cut(values: readonly string[]): string[][] {
  const ranges: string[][] = [];
  for (let at = 0; at < values.length; at += RANGE_VALUES) ranges.push(values.slice(at, at + RANGE_VALUES));
  return ranges;
}

function between(plan: Plan, { first, last }: Ends): string {
  return `${plan.column} BETWEEN ${nativeLiteral(plan, first)} AND ${nativeLiteral(plan, last)}`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 1 ? (conditions[0] ?? "") : `(${conditions.join(" OR ")})`;
}
