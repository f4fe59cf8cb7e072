/** Which keys do rows name, now? Asks every reference, in every form its column may spell a key. */

import { spellingsOf, valueForms } from "../domain/key-mapping.ts";
import type { ReferencedRow } from "../ports/reference-table.ts";
import type { StageContext } from "./stage-context.ts";

/** The forms of reference `index`. */
export function formsOf(context: StageContext, index: number) {
  const change = { from: context.spec.source.prefix, to: context.spec.target.prefix };
  return valueForms(context.spec.references[index]?.urlPrefix ?? null, change);
}

/**
 * Rows of reference `index` that name one of `keys`, by key, before they are rewritten, whatever the row's `where` columns
 * hold. One statement, seldom two.
 */
export async function rowsNaming(
  context: StageContext,
  index: number,
  keys: readonly string[],
): Promise<Map<string, ReferencedRow[]>> {
  const table = context.references[index];
  const keyOf = new Map<string, string>();
  for (const form of formsOf(context, index)) {
    for (const key of keys) {
      const value = form.valueOf(key);
      if (value !== null) keyOf.set(value, key);
    }
  }
  const byKey = new Map<string, ReferencedRow[]>();
  if (table === undefined || keyOf.size === 0) return byKey;
  for (const row of await table.survey([...keyOf.keys()])) {
    const key = keyOf.get(row.value);
    if (key === undefined) continue;
    const rows = byKey.get(key);
    if (rows === undefined) byKey.set(key, [row]);
    else rows.push(row);
  }
  return byKey;
}

/**
 * Which of `objects`' source keys a row may name, in any reference, whatever the row's `where` columns hold and however
 * the key is spelled: the question before a deletion. One statement a reference.
 */
export async function keysStillNamed(
  context: StageContext,
  objects: readonly { readonly key: string }[],
): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  const odd = await context.oddNames.keys();
  for (const { key } of objects) if (odd.has(key)) named.add(key);
  for (const [index, table] of context.references.entries()) {
    const keysOf = spelledKeys(context.spec.references[index]?.urlPrefix ?? null, objects);
    for (const row of await table.naming([...keysOf.keys()])) {
      for (const key of keysOf.get(row.value) ?? []) named.add(key);
    }
  }
  return named;
}

/** By stored value the keys it may mean; one value may mean two. */
function spelledKeys(
  urlPrefix: string | null,
  objects: readonly { readonly key: string }[],
): Map<string, string[]> {
  const keysOf = new Map<string, string[]>();
  for (const { key } of objects) {
    if (!key.isWellFormed()) continue;
    for (const value of spellingsOf(urlPrefix, key)) keysOf.set(value, [...(keysOf.get(value) ?? []), key]);
  }
  return keysOf;
}
