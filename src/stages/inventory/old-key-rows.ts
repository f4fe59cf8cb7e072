/** Rows that name old keys now: at the end of a job few of them are left, and mostly one statement tells of them all. */

import { commonPrefix } from "../../domain/keys/key-order.ts";
import type { ReferencedRow } from "../../ports/reference-table.ts";
import { formsOf } from "../reference-lookup.ts";
import type { PlanContext } from "../stage-contexts.ts";
import { ROWS, restAfter } from "./count-ahead.ts";

/** Rows that the one statement looks at: about 10 ms. Where more begin like old keys, the table is walked through by key. */
const FEW = 5000;

/**
 * Rows of reference `index`, within its `where`, whose value begins as an old key does, in lists of some thousands. A walk
 * gives one row of several with the same value, and rests between its statements.
 */
export async function* rowsWithOldKeys(
  context: PlanContext,
  index: number,
): AsyncGenerator<readonly ReferencedRow[]> {
  const starts = [...new Set(formsOf(context, index).map(({ change }) => change.from))];
  const few = await fewRows(context, index, starts);
  if (few === null) yield* walked(context, index, starts);
  else yield few;
}

/** Null: there are many, or no index finds them. */
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

async function* walked(
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
    await restAfter(context, askedAt);
  }
}
