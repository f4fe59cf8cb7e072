/** Fills a page from windows of bounded size, so that a table with few matching rows costs no long statement. */

import { DomainError } from "../../domain/errors.ts";
import { type ReferencedRow, type StatementPass, sendFreely } from "../../ports/reference-table.ts";

/** A row that was looked at; `value` is null when it does not match. */
export interface WindowRow {
  readonly id: string;
  readonly value: string | null;
}

/** No statement looks at more rows than this: about 30 ms on a warm primary key, 70 where all name one value. */
const MAX_WINDOW = 20_000;

/** Reads the next `rows` rows of the table in key order, matching or not, in one statement; fewer means the end. */
export type ReadWindow = (
  afterId: string | null,
  rows: number,
  pass: StatementPass,
) => Promise<readonly WindowRow[]>;

/** Pages through one table, and remembers how many of its rows match, so that one window usually fills a page. */
export class PageWindows {
  readonly #read: ReadWindow;
  /** Share of the rows looked at that matched, from the last windows. */
  #density = 1;

  constructor(read: ReadWindow) {
    this.#read = read;
  }

  /** Up to `limit` matching rows after `afterId`; fewer mean that no more follow. Each window is read by `pass`. */
  async page(
    afterId: string | null,
    limit: number,
    pass: StatementPass = sendFreely,
  ): Promise<readonly ReferencedRow[]> {
    const found: ReferencedRow[] = [];
    let position = afterId;
    while (found.length < limit) {
      const size = this.#windowSize(limit - found.length);
      const window = await this.#read(position, size, pass);
      assertAdvances(position, window);
      const matching = window.filter(isMatch);
      found.push(...matching);
      const last = window.at(-1);
      if (last === undefined || window.length < size) break;
      position = last.id;
      this.#density = (this.#density + matching.length / window.length) / 2;
    }
    return found.slice(0, limit);
  }

  #windowSize(missing: number): number {
    if (this.#density > 0.995) return Math.min(missing, MAX_WINDOW);
    return Math.min(MAX_WINDOW, Math.ceil((missing / Math.max(this.#density, 0.001)) * 1.1) + 10);
  }
}

function isMatch(row: WindowRow): row is ReferencedRow {
  return row.value !== null;
}

/** A position that stands still would be an endless loop, or rows left out without a word: both must be loud. */
function assertAdvances(position: string | null, window: readonly WindowRow[]): void {
  let previous = position;
  for (const { id } of window) {
    if (id === previous) {
      throw new DomainError("database_refused", `paging does not advance: the key ${id} comes twice`);
    }
    previous = id;
  }
}
