/** The inventory from the rows of the first reference, paged by its key column. */

import { keyOfValue } from "../../domain/keys/key-mapping.ts";
import { commonPrefix } from "../../domain/keys/key-order.ts";
import type { ReferencedRow } from "../../ports/reference-table.ts";
import { formsOf } from "../reference-lookup.ts";
import type { PlanContext } from "../stage-contexts.ts";
import type { InventoryItem } from "./inventory-item.ts";
import { type NamedKey, sourcesOf } from "./sources-of-keys.ts";

/** Pages after the first have the rows of this many batches; the first is smaller, as the first copies wait for it. */
const BATCHES_IN_A_PAGE = 2;

/** Keys that rows after row `position` name; rows of one page that name one key make one item. */
export async function* databaseInventory(
  context: PlanContext,
  position: string | null,
): AsyncGenerator<InventoryItem> {
  const { batchSize } = context.spec;
  let after = position;
  let ahead = readPage(context, after, batchSize);
  for (;;) {
    const { named, last, more } = await ahead;
    if (more) {
      after = last;
      ahead = readPage(context, after, BATCHES_IN_A_PAGE * batchSize);
      // A rejection is thrown where the page is awaited; this keeps it from being reported as unhandled before.
      ahead.catch(() => {});
    }
    for (let from = 0; from < named.length; from += batchSize) {
      yield* await sourcesOf(context, named.slice(from, from + batchSize));
    }
    if (!more) return;
  }
}

const NOT_UNDERSTOOD = {
  code: "value_not_understood",
  message: "the stored value does not follow the reference's form",
} as const;

/** Keys that the rows of one page name. */
export interface NamedPage {
  readonly named: readonly NamedKey[];
  readonly last: string | null;
  readonly more: boolean;
}

/** The keys that the `limit` rows after row `after` name, and the last of these rows. */
export async function readPage(
  context: PlanContext,
  after: string | null,
  limit: number,
): Promise<NamedPage> {
  const table = context.references[0]?.table;
  if (table === undefined) return { named: [], last: null, more: false };
  const starts = formsOf(context, 0).map((form) => form.change.from);
  // One row more shows whether any follow, without a further statement that finds nothing.
  const read = await table.page(after, commonPrefix(starts), limit + 1);
  const rows = read.slice(0, limit);
  // The common prefix may be shorter than each form's: rows that start with none of these name other objects.
  const mine = rows.filter(({ value }) => starts.some((start) => value.startsWith(start)));
  return { named: namedKeys(context, 0, mine), last: rows.at(-1)?.id ?? after, more: read.length > limit };
}

/** The keys that `rows` of reference `index` name, each once with all its rows; each value must begin like an old key's. */
export function namedKeys(
  context: PlanContext,
  index: number,
  rows: readonly ReferencedRow[],
): readonly NamedKey[] {
  const byKey = new Map<string, NamedKey>();
  for (const row of rows) addRow(byKey, namedKeyOf(context, index, row));
  return [...byKey.values()];
}

function namedKeyOf(context: PlanContext, index: number, { id, value }: ReferencedRow): NamedKey {
  const rows = [{ reference: index, id }];
  const urlPrefix = context.references[index]?.urlPrefix ?? null;
  const key = keyOfValue(urlPrefix, value);
  if (key !== null && context.relocation.holds(key)) return { key, rows, position: id, fault: null };
  const rest = value.slice(urlPrefix?.length ?? 0);
  return { key: rest, rows, position: id, fault: NOT_UNDERSTOOD };
}

/** Merges rows that name one key into one item, at the position of the last of them. */
function addRow(byKey: Map<string, NamedKey>, named: NamedKey): void {
  const known = byKey.get(named.key);
  if (known === undefined) {
    byKey.set(named.key, named);
    return;
  }
  byKey.delete(named.key);
  byKey.set(named.key, { ...named, rows: [...(known.rows ?? []), ...(named.rows ?? [])] });
}
