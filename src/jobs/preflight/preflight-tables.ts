/** What preflight finds in the tables: missing indexes, narrow columns, triggers, and objects that no row names. */

import type { JobSpec, ReferenceSpec } from "../../domain/job-spec.ts";
import { valueForms } from "../../domain/keys/key-mapping.ts";
import type { ReferenceTable, TableFacts } from "../../ports/reference-table.ts";
import type { JobParts } from "../job-parts.ts";
import { storesForLooking } from "../run/job-context.ts";
import { keyFilterOf } from "../submit/key-filter.ts";
import { lookPatiently } from "../submit/patient-looks.ts";
import type { ObjectCount } from "./preflight-count.ts";
import { columnOf, Finding } from "./preflight-findings.ts";
import type { Problem } from "./preflight-report.ts";

/** A table without an index on the column is read whole for every batch; below so many rows nobody notices. */
const SMALL_TABLE = 10_000;
/** Objects of the source that are looked up in the first table: one listing. */
const SAMPLE = 1000;

/** A reference, and what its table looks like. */
export interface InspectedTable {
  readonly reference: ReferenceSpec;
  readonly table: ReferenceTable;
  readonly facts: TableFacts;
  /** Whether rows can be searched by value without reading a large table whole. */
  readonly isAskable: boolean;
}

/** Looks at the table of every reference of the job. */
export async function inspectTables(parts: JobParts, spec: JobSpec): Promise<InspectedTable[]> {
  const tables: InspectedTable[] = [];
  for (const reference of spec.references) {
    const table = parts.connections.reference(reference, {});
    const what = `database ${JSON.stringify(reference.database)}`;
    const facts = await lookPatiently(parts.clock, what, () => table.inspect());
    tables.push({ reference, table, facts, isAskable: facts.columnIsIndexed || isSmall(facts) });
  }
  return tables;
}

/** What the tables' structure has against a job of `count`. */
export function structureProblems(tables: readonly InspectedTable[], count: ObjectCount): Problem[] {
  return tables.flatMap(({ reference, facts, isAskable }) => [
    ...indexProblems(reference, facts, isAskable),
    ...widthProblems(reference, facts, count),
    ...rightProblems(reference, facts),
    ...triggerProblems(reference, facts),
  ]);
}

function isSmall({ estimatedRows }: TableFacts): boolean {
  return estimatedRows !== null && estimatedRows <= SMALL_TABLE;
}

function indexProblems(reference: ReferenceSpec, facts: TableFacts, isAskable: boolean): Problem[] {
  if (facts.columnIsIndexed) return [];
  return [
    {
      severity: isAskable ? "warning" : "error",
      code: "column_not_indexed",
      message: `no index begins with ${columnOf(reference)}: every batch would read the whole table; create one first`,
      examples: [`CREATE INDEX ... ON \`${reference.table}\` (\`${reference.column}\`)`],
    },
  ];
}

function widthProblems(
  reference: ReferenceSpec,
  { columnLength }: TableFacts,
  count: ObjectCount,
): Problem[] {
  const longest = count.longestTargetKey + (reference.urlPrefix?.length ?? 0);
  if (columnLength === null || longest <= columnLength) return [];
  const message = `${columnOf(reference)} holds ${columnLength} characters, the longest new value has ${longest}`;
  return [{ severity: "error", code: "column_too_narrow", message, examples: [] }];
}

function rightProblems({ database, table, column }: ReferenceSpec, { mayRewrite }: TableFacts): Problem[] {
  if (mayRewrite) return [];
  const message = `the account of database "${database}" may not change ${table}.${column} (and the columns of "set")`;
  return [{ severity: "error", code: "update_denied", message, examples: [`GRANT UPDATE ON \`${table}\``] }];
}

function triggerProblems({ table }: ReferenceSpec, { triggers }: TableFacts): Problem[] {
  if (triggers.length === 0) return [];
  const message = `${table} has triggers, which run for every row that changes`;
  return [{ severity: "warning", code: "table_has_triggers", message, examples: triggers }];
}

/**
 * A hint for the database inventory, which does not see the objects that no row names: are there any among the first
 * objects of the source prefix? What the filter keeps out is meant to stay, and is not told.
 */
export async function unnamedHint(
  parts: JobParts,
  spec: JobSpec,
  [first]: readonly InspectedTable[],
  signal: AbortSignal | undefined,
): Promise<Problem[]> {
  if (spec.inventory.from !== "database" || first === undefined || !first.isAskable) return [];
  const { bucket, prefix, store } = spec.source;
  const stores = storesForLooking(parts, spec);
  const page = await stores(store).list({ bucket, prefix, startAfter: null, limit: SAMPLE }, signal);
  const passes = keyFilterOf(spec.filter);
  const sample = page.objects.filter(({ key, modifiedAt }) => passes(key.slice(prefix.length), modifiedAt));
  const named = await keysNamed(
    spec,
    first,
    sample.map(({ key }) => key),
  );
  const unnamed = new Finding();
  for (const { key } of sample) if (!named.has(key)) unnamed.add(key);
  const where = `the first ${sample.length} objects are named by no row of ${columnOf(first.reference)}`;
  return unnamed.problems("warning", "object_without_row", `of ${where}: they stay where they are`);
}

/** Which of `keys` a row of the table names. One statement. */
async function keysNamed(
  spec: JobSpec,
  { reference, table }: InspectedTable,
  keys: readonly string[],
): Promise<ReadonlySet<string | undefined>> {
  const keyOf = new Map<string, string>();
  for (const form of valueForms(reference.urlPrefix, { from: spec.source.prefix, to: spec.target.prefix })) {
    for (const key of keys) {
      const value = form.valueOf(key);
      if (value !== null) keyOf.set(value, key);
    }
  }
  if (keyOf.size === 0) return new Set();
  const rows = await table.findRows([...keyOf.keys()]);
  return new Set(rows.map((row) => keyOf.get(row.value)));
}
