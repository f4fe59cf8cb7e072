/** What preflight finds in the tables: missing indexes, narrow columns, triggers, rows and objects without each other. */

import type { JobSpec, ReferenceSpec } from "../domain/job-spec.ts";
import { keyOfValue, valueForms } from "../domain/key-mapping.ts";
import { commonPrefix } from "../domain/key-order.ts";
import { noRequests } from "../ports/object-store.ts";
import type { ReferenceTable, TableFacts } from "../ports/reference-table.ts";
import { governedStores, type JobParts } from "./job-context.ts";
import type { ObjectCount } from "./preflight-count.ts";
import type { Problem } from "./preflight-report.ts";

/** A table without an index on the column is read whole for every batch; below so many rows nobody notices. */
const SMALL_TABLE = 10_000;
const SAMPLE_ROWS = 200;
const EXAMPLES = 5;

export interface TableFindings {
  /** `database.table.column`. */
  readonly name: string;
  readonly estimatedRows: number | null;
  readonly problems: readonly Problem[];
}

/** Looks at every reference of the job. */
export async function tableFindings(
  parts: JobParts,
  spec: JobSpec,
  count: ObjectCount,
): Promise<TableFindings[]> {
  const findings: TableFindings[] = [];
  for (const reference of spec.references) {
    const table = parts.connections.reference(reference, {});
    const facts = await table.inspect();
    const problems = [
      ...structureProblems(reference, facts, count),
      ...(await rowProblems(parts, spec, reference, table)),
      ...(await objectProblems(spec, reference, table, count)),
    ];
    const name = `${reference.database}.${reference.table}.${reference.column}`;
    findings.push({ name, estimatedRows: facts.estimatedRows, problems });
  }
  return findings;
}

function structureProblems(reference: ReferenceSpec, facts: TableFacts, count: ObjectCount): Problem[] {
  const problems: Problem[] = [];
  const column = `${reference.table}.${reference.column}`;
  if (!facts.columnIsIndexed) {
    const isLarge = facts.estimatedRows === null || facts.estimatedRows > SMALL_TABLE;
    problems.push({
      severity: isLarge ? "error" : "warning",
      code: "column_not_indexed",
      message: `no index begins with ${column}: every batch would read the whole table; create one first`,
      examples: [`CREATE INDEX ... ON \`${reference.table}\` (\`${reference.column}\`)`],
    });
  }
  const longest = count.longestTargetKey + (reference.urlPrefix?.length ?? 0);
  if (facts.columnLength !== null && longest > facts.columnLength) {
    problems.push({
      severity: "error",
      code: "column_too_narrow",
      message: `${column} holds ${facts.columnLength} characters, the longest new value has ${longest}`,
      examples: [],
    });
  }
  if (facts.triggers.length > 0) {
    const message = `${reference.table} has triggers, which run for every row that changes`;
    problems.push({ severity: "warning", code: "table_has_triggers", message, examples: facts.triggers });
  }
  return problems;
}

/** Do the first rows name objects that exist? Asked one by one: they may lie anywhere in the bucket. */
async function rowProblems(
  parts: JobParts,
  spec: JobSpec,
  reference: ReferenceSpec,
  table: ReferenceTable,
): Promise<Problem[]> {
  const store = governedStores(parts, spec, noRequests())(spec.source.store);
  const starts = formsOf(spec, reference).map((form) => form.change.from);
  const rows = await table.page(null, commonPrefix(starts), SAMPLE_ROWS);
  const missing: string[] = [];
  const strange: string[] = [];
  for (const { value } of rows) {
    const key = keyOfValue(reference.urlPrefix, value);
    if (key === null) strange.push(value);
    else if ((await store.head({ bucket: spec.source.bucket, key })) === null) missing.push(key);
  }
  const of = `of the first ${rows.length} rows of ${reference.table}`;
  const problems: Problem[] = [];
  if (missing.length > 0) {
    const message = `${missing.length} ${of} name an object that is not in the source bucket: they become exceptions`;
    problems.push({
      severity: "warning",
      code: "object_missing",
      message,
      examples: missing.slice(0, EXAMPLES),
    });
  }
  if (strange.length > 0) {
    const message = `${strange.length} ${of} hold values that do not follow the reference's form: they become exceptions`;
    problems.push({
      severity: "warning",
      code: "value_not_understood",
      message,
      examples: strange.slice(0, EXAMPLES),
    });
  }
  return problems;
}

/** Are there rows for the first objects? */
async function objectProblems(
  spec: JobSpec,
  reference: ReferenceSpec,
  table: ReferenceTable,
  { sample }: ObjectCount,
): Promise<Problem[]> {
  if (sample.length === 0) return [];
  const keyOf = new Map<string, string>();
  for (const form of formsOf(spec, reference))
    for (const key of sample) keyOf.set(form.valueOf(key) ?? key, key);
  const rows = await table.naming([...keyOf.keys()]);
  const named = new Set(rows.map((row) => keyOf.get(row.value)));
  const unnamed = sample.filter((key) => !named.has(key));
  if (unnamed.length === 0) return [];
  const fate =
    spec.inventory.from === "database" ? "they stay where they are" : "they are moved all the same";
  const where = `${reference.table}.${reference.column}`;
  const message = `${unnamed.length} of the first ${sample.length} objects are named by no row of ${where}: ${fate}`;
  return [{ severity: "warning", code: "object_without_row", message, examples: unnamed.slice(0, EXAMPLES) }];
}

function formsOf(spec: JobSpec, reference: ReferenceSpec) {
  return valueForms(reference.urlPrefix, { from: spec.source.prefix, to: spec.target.prefix });
}
