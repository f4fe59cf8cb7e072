/** Lookup of the rows that name keys, in every reference and every form in which its column may hold a key. */

import type { ValueForm } from "../domain/keys/key-mapping.ts";
import { KeySpellings } from "../domain/keys/key-spellings.ts";
import type { Relocation } from "../domain/relocation.ts";
import type { ReferencedRow, ReferenceTable } from "../ports/reference-table.ts";
import type { NonCanonicalUrls } from "./non-canonical-urls.ts";

/** A table whose column names objects, and how its values name them. */
export interface JobReference {
  readonly table: ReferenceTable;
  /** The beginning of the column's URLs; null: values are keys. */
  readonly urlPrefix: string | null;
}

/** A job's references, in the order of its document. */
export interface References {
  readonly relocation: Relocation;
  readonly references: readonly JobReference[];
}

/** References as they are checked before a deletion. */
export interface CheckedReferences extends References {
  readonly nonCanonicalUrls: NonCanonicalUrls;
}

/** The forms of reference `index`. */
export function formsOf({ relocation, references }: References, index: number): readonly ValueForm[] {
  return relocation.valueForms(references[index]?.urlPrefix ?? null);
}

/**
 * Rows of reference `index` that name one of `keys`, by key, regardless of the reference's `where`; for rows that will be
 * rewritten. One statement, rarely two.
 */
export async function rowsNaming(
  context: References,
  index: number,
  keys: readonly string[],
): Promise<Map<string, ReferencedRow[]>> {
  const table = context.references[index]?.table;
  const keyOf = new Map<string, string>();
  for (const form of formsOf(context, index)) {
    for (const key of keys) {
      const value = form.valueOf(key);
      if (value !== null) keyOf.set(value, key);
    }
  }
  const byKey = new Map<string, ReferencedRow[]>();
  if (table === undefined || keyOf.size === 0) return byKey;
  for (const row of await table.findRows([...keyOf.keys()])) {
    const key = keyOf.get(row.value);
    if (key === undefined) continue;
    const rows = byKey.get(key);
    if (rows === undefined) byKey.set(key, [row]);
    else rows.push(row);
  }
  return byKey;
}

/**
 * Which of `objects`' source keys a row may name, in any reference, regardless of its `where` and of the key's spelling: the
 * check before a deletion. Encoders' spellings are looked up now, by index, in one statement a reference (for URLs two for a
 * thousand objects, and one more where keys with escaped slashes are in use). Other spellings are taken from the last scan
 * of the tables.
 */
export async function keysStillNamed(
  context: CheckedReferences,
  objects: readonly { readonly key: string }[],
): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  // First, as it may take long and the lookups by index must be fresh.
  const nonCanonical = await context.nonCanonicalUrls.keys();
  for (const { key } of objects) if (nonCanonical.has(key)) named.add(key);
  const keys = objects.map(({ key }) => key).filter((key) => key.isWellFormed());
  for (const { table, urlPrefix } of context.references) {
    const found = urlPrefix === null ? keysHeld(table, keys) : keysInUrls(table, urlPrefix, keys);
    for (const key of await found) named.add(key);
  }
  return named;
}

async function keysHeld(table: ReferenceTable, keys: readonly string[]): Promise<readonly string[]> {
  const rows = await table.findRows(keys);
  return rows.map(({ value }) => value);
}

/** With more distinct beginnings none is sampled: all spellings are looked up at once. */
const MOST_SAMPLES = 20;

/**
 * Keys in URLs, each spelling alone or followed by a query or fragment. Values with escaped slashes are rare: the first
 * statement only tests whether any value begins like one. If so, or if the keys have too many distinct beginnings to test,
 * a second statement looks up all of them.
 */
async function keysInUrls(
  table: ReferenceTable,
  urlPrefix: string,
  keys: readonly string[],
): Promise<readonly string[]> {
  const usual = KeySpellings.withSlashes(urlPrefix, keys);
  const slashless = KeySpellings.withoutSlashes(urlPrefix, keys);
  const samples = slashless.commonPrefixes(MOST_SAMPLES);
  const rows = await table.matching({ ...usual.question(), samples: samples ?? [] });
  const named = rows.flatMap(({ value }) => usual.keysIn(value));
  const isInUse = samples?.some((sample) => rows.some(({ value }) => value.startsWith(sample))) ?? true;
  if (!isInUse) return named;
  const others = await table.matching({ ...slashless.question(), samples: [] });
  return [...named, ...others.flatMap(({ value }) => slashless.keysIn(value))];
}
