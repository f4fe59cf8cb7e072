/** Rows that name old keys now: few at the end of a job, so mostly one statement finds them all. */

import { commonPrefix } from "../../domain/keys/key-order.ts";
import type { ReferencedRow } from "../../ports/reference-table.ts";
import { formsOf } from "../reference-lookup.ts";
import type { PlanContext } from "../stage-contexts.ts";
import { pauseAfter, ROWS } from "./count-ahead.ts";

/** The most rows that one statement reads: about 10 ms. Where more values begin like old keys, the table is paged by key. */
const FEW = 5000;

/**
 * Rows of reference `index`, within its `where`, whose value begins like an old key's, in lists of up to {@link ROWS}. Paging
 * gives one row of several with the same value, and pauses between its statements.
 */
export async function* rowsWithOldKeys(
  context: PlanContext,
  index: number,
): AsyncGenerator<readonly ReferencedRow[]> {
  const starts = [...new Set(formsOf(context, index).map(({ change }) => change.from))];
  const few = await fewRows(context, index, starts);
  if (few === null) yield* paged(context, index, starts);
  else yield few;
}

/** Null: there are many, or no index is usable. */
async function fewRows(
  { references }: PlanContext,
  index: number,
  starts: readonly string[],
): Promise<readonly ReferencedRow[] | null> {
  const rows = new Map<string, ReferencedRow>();
  for (const start of starts) {
    const found = await references[index]?.table.starting(start, FEW);
    if (found === null) return null;
    for (const row of found ?? []) rows.set(row.id, row);
  }
  return [...rows.values()];
}

async function* paged(
  context: PlanContext,
  index: number,
  starts: readonly string[],
): AsyncGenerator<readonly ReferencedRow[]> {
  const { references, clock } = context;
  for (let after: string | null = null; ; ) {
    const askedAt = clock.now();
    const rows: readonly ReferencedRow[] =
      (await references[index]?.table.page(after, commonPrefix(starts), ROWS)) ?? [];
    yield rows.filter(({ value }) => starts.some((start) => value.startsWith(start)));
    if (rows.length < ROWS) return;
    after = rows.at(-1)?.id ?? null;
    await pauseAfter(context, askedAt);
  }
}
