/** Which keys do rows name, now? Asks every reference, in every form its column may spell a key. */

import { valueForms } from "../domain/key-mapping.ts";
import type { ReferencedRow } from "../ports/reference-table.ts";
import type { StageContext } from "./stage-context.ts";

/** The forms of reference `index`. */
export function formsOf(context: StageContext, index: number) {
  const change = { from: context.spec.source.prefix, to: context.spec.target.prefix };
  return valueForms(context.spec.references[index]?.urlPrefix ?? null, change);
}

/** Rows of reference `index` that name one of `keys`, by key. One statement, whatever the row's `where` columns hold. */
export async function rowsNaming(
  context: StageContext,
  index: number,
  keys: readonly string[],
): Promise<Map<string, ReferencedRow[]>> {
  const table = context.references[index];
  const keyOf = new Map<string, string>();
  for (const form of formsOf(context, index)) {
    for (const key of keys) keyOf.set(form.valueOf(key), key);
  }
  const byKey = new Map<string, ReferencedRow[]>();
  if (table === undefined || keyOf.size === 0) return byKey;
  context.rowPace.reserve(keys.length, context.clock.now());
  for (const row of await table.naming([...keyOf.keys()])) {
    const key = keyOf.get(row.value);
    if (key === undefined) continue;
    const rows = byKey.get(key);
    if (rows === undefined) byKey.set(key, [row]);
    else rows.push(row);
  }
  return byKey;
}

/** Number of rows over all references that name each of `objects`' source keys; absent means none. */
export async function countRowsNaming(
  context: StageContext,
  objects: readonly { readonly key: string }[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const keys = objects.map((object) => object.key);
  for (const index of context.references.keys()) {
    for (const [key, rows] of await rowsNaming(context, index, keys)) {
      counts.set(key, (counts.get(key) ?? 0) + rows.length);
    }
  }
  return counts;
}

/** Those of `objects`' source keys that any row names. */
export async function keysStillNamed(
  context: StageContext,
  objects: readonly { readonly key: string }[],
): Promise<ReadonlySet<string>> {
  return new Set((await countRowsNaming(context, objects)).keys());
}
