/** Checks the demo's result independently of Tranship: every object and every row against its expected value. */

import Database from "better-sqlite3";
import type { ObjectView } from "../sandbox-s3/buckets/seeding.ts";
import { demoObject, targetKeyOf } from "./demo-objects.ts";
import {
  bystanderRows,
  type DemoRow,
  demoRowCount,
  MOVED_BEFORE,
  movedBeforeKey,
  movedRowsOf,
} from "./demo-rows.ts";
import { BYSTANDER_KEYS, bystanderBody, type DemoWorld, SOURCE_BUCKET, TARGET_BUCKET } from "./demo-world.ts";

export interface DemoCheck {
  readonly ok: boolean;
  /** Descriptions of the first differences; empty when the result is correct. */
  readonly differences: readonly string[];
  /** Number of all differences. */
  readonly found: number;
}

/** Differences that are described. */
const MOST_TOLD = 20;

/** Collects differences: counts all, keeps the first. */
class Differences {
  #found = 0;
  readonly #told: string[] = [];

  add(text: string): void {
    this.#found += 1;
    if (this.#told.length < MOST_TOLD) this.#told.push(text);
  }

  result(): DemoCheck {
    return { ok: this.#found === 0, differences: this.#told, found: this.#found };
  }
}

/** The part of the environment that is checked. */
export type CheckedWorld = Pick<DemoWorld, "store" | "databaseFile">;

/** Checks all objects of both buckets and all rows of the table. */
export function checkWorld(world: CheckedWorld, objects: number): DemoCheck {
  const differences = new Differences();
  checkTarget(world, objects, differences);
  checkSource(world, differences);
  checkRows(world.databaseFile, objects, differences);
  return differences.result();
}

/** Target: every moved object complete, earlier objects unchanged, and nothing else. */
function checkTarget({ store }: CheckedWorld, objects: number, differences: Differences): void {
  for (let index = 0; index < objects; index += 1) {
    const seed = demoObject(index);
    const key = targetKeyOf(index);
    const name = `object ${JSON.stringify(seed.key)} at ${JSON.stringify(key)}`;
    const found = store.getObject(TARGET_BUCKET, key);
    if (found === undefined) differences.add(`${name} is missing`);
    else for (const what of unlike(found, seed)) differences.add(`${name} differs in its ${what}`);
  }
  for (let i = 0; i < MOVED_BEFORE; i += 1)
    checkBystander(store, TARGET_BUCKET, movedBeforeKey(i), differences);
  checkCount(store, TARGET_BUCKET, objects + MOVED_BEFORE, differences);
}

/** Source: nothing left under the prefix, other objects unchanged. */
function checkSource({ store }: CheckedWorld, differences: Differences): void {
  for (const key of BYSTANDER_KEYS) checkBystander(store, SOURCE_BUCKET, key, differences);
  const beside: ReadonlySet<string> = new Set(BYSTANDER_KEYS);
  for (const key of store.listKeys(SOURCE_BUCKET)) {
    if (!beside.has(key)) differences.add(`source ${JSON.stringify(key)} is still there`);
  }
}

function unlike(found: ObjectView, { body, options }: ReturnType<typeof demoObject>): string[] {
  const metadata = (of: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(of).sort());
  return [
    ...(found.read().equals(body) ? [] : ["bytes"]),
    ...(found.contentType === options.contentType ? [] : ["content type"]),
    ...(found.attributes.cacheControl === options.cacheControl ? [] : ["cache control"]),
    ...(metadata(found.metadata) === metadata(options.metadata) ? [] : ["metadata"]),
  ];
}

function checkBystander(
  store: CheckedWorld["store"],
  bucket: string,
  key: string,
  differences: Differences,
): void {
  const found = store.getObject(bucket, key);
  if (found?.read().equals(bystanderBody(key))) return;
  differences.add(
    `${bucket}/${key} was not to be touched and ${found === undefined ? "is gone" : "changed"}`,
  );
}

function checkCount(
  store: CheckedWorld["store"],
  bucket: string,
  expected: number,
  differences: Differences,
): void {
  const count = store.countObjects(bucket);
  if (count !== expected) differences.add(`${bucket} holds ${count} objects instead of ${expected}`);
}

/** Compares all rows, by id, with their expected values in one pass, so that an additional row is found too. */
function checkRows(file: string, objects: number, differences: Differences): void {
  const database = new Database(file, { readonly: true });
  try {
    const expected = expectedRows(objects);
    const read = database.prepare<[], DemoRow>(
      "SELECT id, path, legacy, title, updated_at FROM images ORDER BY id",
    );
    for (const row of read.iterate()) {
      const next = expected.next();
      if (next.done === true) differences.add(`there is a row too many: ${JSON.stringify(row)}`);
      else compareRow(row, next.value, differences);
    }
    for (const row of expected) differences.add(`row ${row.id} is missing`);
  } finally {
    database.close();
  }
}

function* expectedRows(objects: number): Generator<DemoRow> {
  for (let index = 0; index < objects; index += 1) yield* movedRowsOf(index);
  yield* bystanderRows(demoRowCount(objects) + 1);
}

function compareRow(row: DemoRow, expected: DemoRow, differences: Differences): void {
  for (const column of ["id", "path", "legacy", "title", "updated_at"] as const) {
    if (row[column] === expected[column]) continue;
    const [is, must] = [JSON.stringify(row[column]), JSON.stringify(expected[column])];
    differences.add(`row ${row.id} has ${column} ${is} instead of ${must}`);
  }
}
