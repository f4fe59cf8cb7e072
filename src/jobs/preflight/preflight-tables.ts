/** Preflight of the reference tables: missing indexes, narrow columns, rights, triggers, and objects that no row names. */

import type { JobSpec, ReferenceSpec } from "../../domain/job-spec.ts";
import { valueForms } from "../../domain/keys/key-mapping.ts";
import type { ReferenceTable, TableFacts } from "../../ports/reference-table.ts";
import type { JobParts } from "../job-parts.ts";
import { storesForLooking } from "../run/job-context.ts";
import { keyFilterOf } from "../submit/key-filter.ts";
import { retryTransient } from "../submit/retry-transient.ts";
import type { ObjectCount } from "./preflight-count.ts";
import type { PreflightProblem } from "./preflight-report.ts";
import { columnOf, ProblemCounter } from "./problem-counters.ts";

/** Rows up to which a table without an index on the column may be read whole for every batch. */
const SMALL_TABLE = 10_000;
/** Objects of the source that are looked up in the first table: one page of a listing. */
const SAMPLE = 1000;

/** A reference, its table, and that table's structure. */
export interface InspectedTable {
  readonly reference: ReferenceSpec;
  readonly table: ReferenceTable;
  readonly facts: TableFacts;
  /** Whether rows can be searched by value without reading a large table whole. */
  readonly isSearchable: boolean;
}

/** Reads the structure of the table of every reference; throws the database's error when it does not answer for 4 s. */
export async function inspectTables(parts: JobParts, spec: JobSpec): Promise<InspectedTable[]> {
  const tables: InspectedTable[] = [];
  for (const reference of spec.references) {
    const table = parts.connections.reference(reference, {});
    const what = `database ${JSON.stringify(reference.database)}`;
    const facts = await retryTransient(parts.clock, what, () => table.inspect());
    tables.push({ reference, table, facts, isSearchable: facts.columnIsIndexed || isSmall(facts) });
  }
  return tables;
}

/** The problems that the tables' structure makes for a job of `count`. */
export function structureProblems(tables: readonly InspectedTable[], count: ObjectCount): PreflightProblem[] {
  return tables.flatMap(({ reference, facts, isSearchable }) => [
    ...indexProblems(reference, facts, isSearchable),
    ...widthProblems(reference, facts, count),
    ...rightProblems(reference, facts),
    ...triggerProblems(reference, facts),
  ]);
}

function isSmall({ estimatedRows }: TableFacts): boolean {
  return estimatedRows !== null && estimatedRows <= SMALL_TABLE;
}

function indexProblems(
  reference: ReferenceSpec,
  facts: TableFacts,
  isSearchable: boolean,
): PreflightProblem[] {
  if (facts.columnIsIndexed) return [];
  return [
    {
      severity: isSearchable ? "warning" : "error",
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
): PreflightProblem[] {
  const longest = count.longestTargetKey + (reference.urlPrefix?.length ?? 0);
  if (columnLength === null || longest <= columnLength) return [];
  const message = `${columnOf(reference)} holds ${columnLength} characters, the longest new value has ${longest}`;
  return [{ severity: "error", code: "column_too_narrow", message, examples: [] }];
}

function rightProblems(
  { database, table, column }: ReferenceSpec,
  { mayRewrite }: TableFacts,
): PreflightProblem[] {
  if (mayRewrite) return [];
  const message = `the account of database "${database}" may not change ${table}.${column} (and the columns of "set")`;
  return [{ severity: "error", code: "update_denied", message, examples: [`GRANT UPDATE ON \`${table}\``] }];
}

function triggerProblems({ table }: ReferenceSpec, { triggers }: TableFacts): PreflightProblem[] {
  if (triggers.length === 0) return [];
  const message = `${table} has triggers, which run for every row that changes`;
  return [{ severity: "warning", code: "table_has_triggers", message, examples: triggers }];
}

/**
 * Warns, for a database inventory, of objects that no row names, since such an inventory does not include them. Checks the
 * first 1,000 objects of the source prefix; those that the filter excludes are not reported.
 */
export async function unnamedObjectProblems(
  parts: JobParts,
  spec: JobSpec,
  [first]: readonly InspectedTable[],
  signal: AbortSignal | undefined,
): Promise<PreflightProblem[]> {
  if (spec.inventory.from !== "database" || first === undefined || !first.isSearchable) return [];
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
  const unnamed = new ProblemCounter();
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
