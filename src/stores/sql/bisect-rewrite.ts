/** Narrows a bulk rewrite that fails down to the values that make it fail, and applies all the others. */

import type { ExceptionCode } from "../../domain/batch.ts";
import { DomainError } from "../../domain/errors.ts";
import type { PrefixChange } from "../../domain/keys/key-mapping.ts";
import { inSafeOrder } from "../../domain/rewrite-order.ts";
import type { RewriteFailure, RewriteResult } from "../../ports/reference-table.ts";
import { backOff } from "./backoff.ts";

/** Why a statement changed nothing although the database is well; `rows` were changed before it in the same attempt. */
export type StatementFailure =
  /** Another transaction is in the way (deadlock, lock wait, time limit): repeat, then with fewer rows. */
  | { readonly kind: "contention"; readonly message: string; readonly cause: unknown; readonly rows?: number }
  /** At least one of the values cannot be changed. */
  | { readonly kind: "row"; readonly code: ExceptionCode; readonly message: string; readonly rows?: number };

/** Rewrites exactly `values`, in one statement unless many rows hold them: what came of it, or what stopped it. */
export type RewriteAttempt = (values: readonly string[]) => Promise<RewriteResult | StatementFailure>;

/** After more lock waits than this without a success in between the whole table counts as locked. */
const MAX_WAITS_IN_A_ROW = 6;

interface Piece {
  readonly values: readonly string[];
  /** Times it may still be repeated whole before it is halved. */
  readonly repeats: number;
}

/** Rewrites `values` by {@link bisectRewrite}, in safe order and in the pieces that `cut` makes of what may go together. */
export async function rewriteInOrder(
  values: readonly string[],
  change: PrefixChange,
  cut: (values: readonly string[]) => readonly (readonly string[])[],
  attempt: RewriteAttempt,
): Promise<RewriteResult> {
  const failures: RewriteFailure[] = [];
  let rows = 0;
  for (const layer of inSafeOrder(values, change)) {
    const result = await bisectRewrite(cut(layer), attempt);
    rows += result.rows;
    failures.push(...result.failures);
  }
  return { rows, failures };
}

/**
 * Rewrites the pieces. A piece that meets a lock is repeated once, then halved, and its halves wait at the end of
 * the queue so that free rows go first; a value that stays locked by itself becomes a failure. Throws
 * `database_unavailable` when lock waits follow one another without any success.
 */
export async function bisectRewrite(
  pieces: readonly (readonly string[])[],
  attempt: RewriteAttempt,
): Promise<RewriteResult> {
  const queue: Piece[] = pieces.map((values) => ({ values, repeats: 1 }));
  const failures: RewriteFailure[] = [];
  let rows = 0;
  let waits = 0;
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
    const outcome = await attempt(piece.values);
    if (!("kind" in outcome)) {
      rows += outcome.rows;
      failures.push(...outcome.failures);
      waits = 0;
      continue;
    }
    const changed = outcome.rows ?? 0;
    rows += changed;
    if (changed > 0) waits = 0;
    if (outcome.kind === "row") {
      waits = 0;
      queue.unshift(...settled(piece, outcome, failures));
      continue;
    }
    waits += 1;
    if (waits > MAX_WAITS_IN_A_ROW) {
      throw new DomainError("database_unavailable", `the rows stay locked: ${outcome.message}`, {
        cause: outcome.cause,
      });
    }
    await backOff(waits, 50);
    if (piece.repeats > 0) queue.unshift({ values: piece.values, repeats: piece.repeats - 1 });
    else queue.push(...settled(piece, { ...outcome, code: "row_not_updated" }, failures));
  }
  return { rows, failures };
}

/** The halves to try next; a single value is recorded as a failure instead. */
function settled(
  piece: Piece,
  why: { readonly code: ExceptionCode; readonly message: string },
  failures: RewriteFailure[],
): Piece[] {
  const [value] = piece.values;
  if (piece.values.length === 1 && value !== undefined) {
    failures.push({ value, code: why.code, message: why.message });
    return [];
  }
  const middle = Math.ceil(piece.values.length / 2);
  return [
    { values: piece.values.slice(0, middle), repeats: 0 },
    { values: piece.values.slice(middle), repeats: 0 },
  ];
}
