/** How many values one rewriting statement takes, so that its rows are not locked for long. */

/** The size grows only where the statement would probably take no longer than this part of a long one. */
const AIM_SHARE = 0.6;
const LEAST_VALUES = 50;

/**
 * Follows the statements' times: two long ones in a row halve the size. It starts at the most, for a usual table takes a
 * thousand values in less than half of that time, and starting low would cost every job statements. A single long statement
 * may come from other load on the machine.
 */
export class StatementSize {
  readonly #most: number;
  readonly #longMs: number;
  #values: number;
  #longInARow = 0;

  /**
   * @param most values that a statement may ever take, more than 50
   * @param longMs what is long for a statement, commit included
   */
  constructor(most: number, longMs: number) {
    this.#most = most;
    this.#longMs = longMs;
    this.#values = most;
  }

  /** Values that the next statement may take. */
  get values(): number {
    return this.#values;
  }

  /** A statement over `values` values took `ms`, its commit included. */
  took(values: number, ms: number): void {
    if (ms > this.#longMs) {
      this.#longInARow += 1;
      if (this.#longInARow < 2) return;
      this.#longInARow = 0;
      this.#values = Math.max(LEAST_VALUES, Math.floor(Math.min(values, this.#values) / 2));
      return;
    }
    this.#longInARow = 0;
    const more = Math.min(this.#most, this.#values + Math.ceil(this.#most / 10));
    if ((ms / values) * more <= AIM_SHARE * this.#longMs) this.#values = more;
  }

  /** The largest equal parts of `count` values that are no larger than a statement may be, nor than `most`; 1 for no values. */
  evenly(count: number, most: number): number {
    const largest = Math.min(most, this.#values);
    return Math.max(1, Math.ceil(count / Math.ceil(count / largest || 1)));
  }
}
