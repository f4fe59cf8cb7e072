/** The demo's rows, each derived from its number alone: rows that name objects, and rows that must not change. */

import { demoObject, mix, TARGET_PREFIX, targetKeyOf } from "./demo-objects.ts";

/** A row of the table `images`. */
export interface DemoRow {
  readonly id: number;
  readonly path: string;
  readonly legacy: number | null;
  readonly title: string;
  readonly updated_at: string;
}

export const CREATE_TABLE = [
  "CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT NOT NULL, legacy INTEGER, title TEXT, updated_at TEXT)",
  "CREATE INDEX images_path ON images (path)",
] as const;

/** One of so many objects is named by a second row. */
const SHARED_EVERY = 50;
/** Objects moved before the demo began: their rows and objects must not change. */
export const MOVED_BEFORE = 40;

/** Values similar to source keys that must not change: other letter case, no slash, the prefix further in, empty. */
const LOOKALIKES = [
  "banner/1.png",
  "images/2.png",
  "Image/3.png",
  "image",
  "old/image/4.png",
  " image/5.png",
  "",
];

/** Rows that name no object to be moved; they contain `image/…` elsewhere than at the start. */
export function bystanderRows(firstId: number): DemoRow[] {
  const moved = Array.from({ length: MOVED_BEFORE }, (_, i) => row(firstId + i, movedBeforeKey(i), 0));
  const others = LOOKALIKES.map((path, i) => row(firstId + MOVED_BEFORE + i, path, i % 2 === 0 ? 1 : null));
  return [...moved, ...others];
}

/** Key of an object that was moved before the demo began. */
export function movedBeforeKey(i: number): string {
  return `${TARGET_PREFIX}earlier/${i}.png`;
}

/** The rows that name object number `index`, before the relocation. */
export function demoRowsOf(index: number): DemoRow[] {
  const { key } = demoObject(index);
  return idsOf(index).map((id) => row(id, key, 1));
}

/** The same rows as expected after it. */
export function movedRowsOf(index: number): DemoRow[] {
  return idsOf(index).map((id) => row(id, targetKeyOf(index), 0));
}

/** How many rows name the first `objects` objects; the ids are 1 to this number. */
export function demoRowCount(objects: number): number {
  return objects + Math.floor(objects / SHARED_EVERY);
}

function idsOf(index: number): number[] {
  const first = demoRowCount(index) + 1;
  return (index + 1) % SHARED_EVERY === 0 ? [first, first + 1] : [first];
}

function row(id: number, path: string, legacy: number | null): DemoRow {
  const day = String(1 + (mix(id) % 28)).padStart(2, "0");
  return {
    id,
    path,
    legacy,
    title: `picture no. ${id} – “${mix(id).toString(36)}”`,
    updated_at: `2024-02-${day} 03:04:05`,
  };
}
