/** Opaque page cursors: where a page ended, encoded so that clients do not depend on the content. */

import { DomainError } from "../../domain/errors.ts";
import type { Page } from "../../ports/ledger.ts";
import { JOB_ID } from "./jobs/job-ids.ts";

const NUMBER = /^(0|[1-9]\d{0,14})$/;

/** What may be paged, and what a position in it looks like. */
const POSITIONS = { jobs: JOB_ID, batches: NUMBER, exceptions: NUMBER, audit: NUMBER } as const;

export type Paged = keyof typeof POSITIONS;

/** Where the page before ended; null at the beginning. Throws `invalid_input` for a cursor we did not give. */
export function readCursor(paged: Paged, cursor: string | null): string | null {
  if (cursor === null) return null;
  const [kind, position = "", ...more] = Buffer.from(cursor, "base64url").toString("latin1").split(":");
  if (kind !== paged || more.length > 0 || !POSITIONS[paged].test(position)) {
    throw new DomainError("invalid_input", "The cursor is not one that this list gave.", {
      faults: [{ pointer: "/cursor", message: "must be the `next` of the page before" }],
    });
  }
  return position;
}

/** A page of at most `limit` out of `found`, which was asked for one more to see whether anything follows. */
export function pageOf<Row, Item>(
  paged: Paged,
  found: readonly Row[],
  limit: number,
  { position, item }: { position: (row: Row) => string | number; item: (row: Row) => Item },
): Page<Item> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const more = found.length > limit && last !== undefined;
  return {
    items: rows.map(item),
    next: more ? Buffer.from(`${paged}:${position(last)}`, "latin1").toString("base64url") : null,
  };
}
