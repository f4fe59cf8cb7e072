/** How many statements a job sends for its objects, and whether the next rewriting may be cut in two. */

/** For a thousand values, reading and rewriting together (decision 13). */
const FOR_A_THOUSAND = 3;
/** Planning reads ahead of what is rewritten. */
const AHEAD = 3;
/** As few values as a cut is worth: rows of 500 are locked for half as long as those of a thousand. */
const SMALL = 500;

/**
 * Counts a job's statements on a table. Reading takes less than half of what is allowed while batches share their
 * look-ups; what is left makes the rewriting statements, which lock rows, smaller.
 */
export class StatementBudget {
  #sent = 0;
  /** Rewriting statements that were allowed and not sent yet: several batches may be rewritten at once. */
  #promised = 0;
  #values = 0;
  readonly #forAThousand: number;

  /** `asksMore`: the question before a deletion takes more statements, so that fewer are left for rewriting. */
  constructor({ asksMore = false }: { readonly asksMore?: boolean } = {}) {
    this.#forAThousand = asksMore ? FOR_A_THOUSAND - 1 : FOR_A_THOUSAND;
  }

  /** A statement was sent. */
  sent(kind: "read" | "rewrite"): void {
    this.#sent += 1;
    if (kind === "rewrite") this.#promised = Math.max(0, this.#promised - 1);
  }

  /** How many values each statement may have that rewrites `values` values, which are counted now: 500 or more. */
  valuesInEach(values: number): number {
    this.#values += values;
    const allowed = AHEAD + Math.floor((this.#forAThousand * this.#values) / 1000);
    const left = allowed - this.#sent - this.#promised;
    const each = Math.max(SMALL, Math.ceil(values / Math.max(1, left)));
    this.#promised += Math.ceil(values / each);
    return each;
  }
}
