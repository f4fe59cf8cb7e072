/** Fills a page from windows of bounded size, so that a table with few matching rows costs no long statement. */

import { DomainError } from "../../domain/errors.ts";
import type { ReferencedRow, StatementLimiter } from "../../ports/reference-table.ts";

/** A row of a window; `value` is null when it does not match. */
export interface WindowRow {
  readonly id: string;
  readonly value: string | null;
}

/** No statement reads more rows than this: about 30 ms on a warm primary key, 70 where all name one value. */
const MAX_WINDOW = 20_000;

/**
 * Reads the next `rows` rows of the table in key order in one statement, those without `valuePrefix` too; fewer means the
 * end.
 */
export type ReadWindow = (
  afterId: string | null,
  valuePrefix: string,
  rows: number,
  limiter: StatementLimiter,
) => Promise<readonly WindowRow[]>;

/** Pages through one table, and remembers how many of its rows match a prefix, so that one window usually fills a page. */
export class PageWindows {
  readonly #read: ReadWindow;
  /** By prefix, the share of the rows read that matched, from the last windows. */
  readonly #densities = new Map<string, number>();

  constructor(read: ReadWindow) {
    this.#read = read;
  }

  /** Up to `limit` matching rows after `afterId`; fewer mean that no more follow. Each window is read by `limiter`. */
  async page(
    afterId: string | null,
    valuePrefix: string,
    limit: number,
    limiter: StatementLimiter,
  ): Promise<readonly ReferencedRow[]> {
    const found: ReferencedRow[] = [];
    let position = afterId;
    while (found.length < limit) {
      const density = this.#densities.get(valuePrefix) ?? 1;
      const size = windowSize(limit - found.length, density);
      const window = await this.#read(position, valuePrefix, size, limiter);
      assertAdvances(position, window);
      const matching = window.filter(isMatch);
      found.push(...matching);
      const last = window.at(-1);
      if (last === undefined || window.length < size) break;
      position = last.id;
      this.#densities.set(valuePrefix, (density + matching.length / window.length) / 2);
    }
    return found.slice(0, limit);
  }
}

function windowSize(missing: number, density: number): number {
  if (density > 0.995) return Math.min(missing, MAX_WINDOW);
  return Math.min(MAX_WINDOW, Math.ceil((missing / Math.max(density, 0.001)) * 1.1) + 10);
}

/** Whether a row of a window matches. */
export function isMatch(row: WindowRow): row is ReferencedRow {
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
