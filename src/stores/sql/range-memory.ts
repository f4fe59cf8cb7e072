/** Which values lay side by side when they were last looked at, until they are rewritten. */

/** So long what stood between the values is thought to be as it was. */
const REMEMBERED_MS = 300_000;
/** Values remembered: those of some batches that are planned and not yet rewritten. */
const MOST_REMEMBERED = 50_000;

interface Range {
  readonly values: number;
  readonly collation: string;
  readonly at: number;
}

/** A value of one. */
interface Place {
  readonly range: Range;
  /** How many of its values come before. */
  readonly index: number;
}

/** Some values of one range. */
export interface Part {
  readonly values: readonly string[];
  /** Of the range, all of its values. */
  readonly ofValues: number;
  /** That the range was seen in. */
  readonly collation: string;
  /** Those that come first and last there, and how many of its values lie from one to the other. */
  readonly firstValue: string;
  readonly lastValue: string;
  readonly span: number;
}

/** Times are milliseconds by any one clock. */
export class RangeMemory {
  readonly #places = new Map<string, Place>();

  /** Ranges seen at `now`, their values in the collation's order; a value that was known is now known in its new one. */
  remember(ranges: readonly (readonly string[])[], collation: string, now: number): void {
    for (const values of ranges) {
      const range = { values: values.length, collation, at: now };
      for (const [index, value] of values.entries()) {
        // As the youngest.
        this.#places.delete(value);
        this.#places.set(value, { range, index });
      }
    }
    this.#forgetOldest();
  }

  /** `values` by the range they were seen in, and those that were not, or too long ago. None is known any more. */
  take(values: readonly string[], now: number): { parts: Part[]; unknown: string[] } {
    const parts = new Map<Range, OpenPart>();
    const unknown: string[] = [];
    for (const value of values) {
      const place = this.#places.get(value);
      this.#places.delete(value);
      if (place === undefined || now - place.range.at > REMEMBERED_MS) unknown.push(value);
      else add(parts, value, place);
    }
    const closed = [...parts].map(([range, { first, last, ...part }]) => ({
      ...part,
      ofValues: range.values,
      collation: range.collation,
      span: last - first + 1,
    }));
    return { parts: closed, unknown };
  }

  /**
   * Once for all and not for each value: to reach the first entry of a Map is to walk past all that
   * were deleted before it (thousands here: 20 ms for a look at 2,000 values, until 2026-11-27).
   */
  #forgetOldest(): void {
    for (const oldest of this.#places.keys()) {
      if (this.#places.size <= MOST_REMEMBERED) return;
      this.#places.delete(oldest);
    }
  }
}

interface OpenPart {
  readonly values: string[];
  first: number;
  last: number;
  firstValue: string;
  lastValue: string;
}

function add(parts: Map<Range, OpenPart>, value: string, { range, index }: Place): void {
  const part = parts.get(range);
  if (part === undefined) {
    parts.set(range, { values: [value], first: index, last: index, firstValue: value, lastValue: value });
    return;
  }
  part.values.push(value);
  if (index < part.first) {
    part.first = index;
    part.firstValue = value;
  }
  if (index > part.last) {
    part.last = index;
    part.lastValue = value;
  }
}
