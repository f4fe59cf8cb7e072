/** Rewrites rows by their keys and reads each afterwards: triggers may restore the old value or set another one. */

import type { PrefixChange } from "../../domain/keys/key-mapping.ts";
import type { ReferencedRow, RewriteFailure } from "../../ports/reference-table.ts";

/** The statements for it; each goes through the call's limiter. */
export interface CheckedStatements {
  /** At most `most` rows within `where` that hold exactly one of `values`. */
  held(values: readonly string[], most: number): Promise<readonly ReferencedRow[]>;
  /** Rewrites those of the rows `ids` that hold one of `values` still. */
  rewrite(values: readonly string[], ids: readonly string[]): Promise<void>;
  /** The rows `ids` as they are now. */
  now(ids: readonly string[]): Promise<readonly ReferencedRow[]>;
  /** Called after each round, for a later one may fail, with the number of rows that hold their new values. */
  onRewritten(rows: number): void;
}

/**
 * Rewrites exactly `values`, at most `most` rows at a time, and gives those that cannot be. Only rows that hold their new
 * value afterwards count; a value of which one does not becomes a failure and is not tried again, so each round leaves
 * fewer rows or fewer values. Ends with the first round that found fewer than `most`: rows that came meanwhile are left to
 * the check before the deletion.
 */
export async function checkedRewrite(
  statements: CheckedStatements,
  values: readonly string[],
  change: PrefixChange,
  most: number,
): Promise<readonly RewriteFailure[]> {
  const failures: RewriteFailure[] = [];
  let open = values;
  while (open.length > 0) {
    const held = await statements.held(open, most);
    if (held.length === 0) break;
    const ids = held.map(({ id }) => id);
    await statements.rewrite(open, ids);
    const { rewritten, failed } = compared(held, await statements.now(ids), change);
    statements.onRewritten(rewritten);
    failures.push(...failed.values());
    open = open.filter((value) => !failed.has(value));
    if (held.length < most) break;
  }
  return failures;
}

/** Of rows that were `held` before a statement: how many have their new value, and one failure for each value of the others. */
function compared(held: readonly ReferencedRow[], now: readonly ReferencedRow[], change: PrefixChange) {
  const valueNow = new Map(now.map(({ id, value }) => [id, value]));
  const failed = new Map<string, RewriteFailure>();
  let rewritten = 0;
  for (const row of held) {
    const value = valueNow.get(row.id);
    // Without one the row has been deleted.
    if (value === undefined) continue;
    if (value === change.to + row.value.slice(change.from.length)) rewritten += 1;
    else if (!failed.has(row.value)) failed.set(row.value, failureOf(row, value));
  }
  return { rewritten, failed };
}

function failureOf({ id, value }: ReferencedRow, now: string): RewriteFailure {
  const state = now === value ? "still holds the old value" : "holds neither the old nor the new value";
  const message = `the row with the key ${id} ${state} after the statement that changes it: a trigger of the table may do that`;
  return { value, code: "row_not_updated", message };
}
