/**
 * RowUpdates: what functions that update rows are told of a job (`"updates": "function"`). Names of databases only: where they
 * are, and who may log in, the functions' own environment tells.
 */

import type { ColumnValue, JobSpec, ReferenceSpec } from "../job-spec.ts";

export interface RowUpdates {
  readonly references: readonly ReferenceSpec[];
  /** Above it rows are left to the service; null: no limit. */
  readonly maxThreadsRunning: number | null;
}

/** The updates of `spec`; null where the service makes all: by its setting, without references, and where no value changes. */
export function rowUpdatesOf({ lambda, references, guards, source, target }: JobSpec): RowUpdates | null {
  if (lambda?.updates !== "function" || references.length === 0) return null;
  // `set` alone is no compare-and-set: repeated later it would overwrite what the application has set since.
  if (source.prefix === target.prefix) return null;
  return { references, maxThreadsRunning: guards.database?.maxThreadsRunning ?? null };
}

type Line = [
  database: string,
  table: string,
  key: string,
  column: string,
  urlPrefix: string | null,
  where: Readonly<Record<string, ColumnValue>>,
  set: Readonly<Record<string, ColumnValue>>,
  keepUpdatedAt: 0 | 1,
];

/** As a list in JSON: the limit, then a list for each reference. */
export function encodeRowUpdates({ references, maxThreadsRunning }: RowUpdates): string {
  const lines = references.map(
    ({ database, table, key, column, urlPrefix, where, set, keepUpdatedAt }): Line => {
      return [database, table, key, column, urlPrefix, where, set, keepUpdatedAt ? 1 : 0];
    },
  );
  return JSON.stringify([maxThreadsRunning, ...lines]);
}

/** The updates in `text`; throws `RangeError` for what {@link encodeRowUpdates} does not write. */
export function decodeRowUpdates(text: string): RowUpdates {
  const [limit, ...lines] = listIn(text);
  if (!(limit === null || typeof limit === "number") || lines.length === 0 || !lines.every(isLine))
    throw new RangeError("the rows to update are not understood");
  const references = lines.map(([database, table, key, column, urlPrefix, where, set, keeps]) => {
    return { database, table, key, column, urlPrefix, where, set, keepUpdatedAt: keeps === 1 };
  });
  return { references, maxThreadsRunning: limit };
}

function listIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isLine(given: unknown): given is Line {
  if (!Array.isArray(given) || given.length !== 8) return false;
  const [urlPrefix, where, set, keeps] = given.slice(4);
  return (
    given.slice(0, 4).every((name) => typeof name === "string" && name !== "") &&
    (urlPrefix === null || typeof urlPrefix === "string") &&
    [where, set].every(isValues) &&
    (keeps === 0 || keeps === 1)
  );
}

function isValues(given: unknown): boolean {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  return Object.values(given).every(
    (value) => value === null || ["string", "number", "boolean"].includes(typeof value),
  );
}
