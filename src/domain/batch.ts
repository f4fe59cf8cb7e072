/** A batch: a slice of a job's objects that passes through the stages together, and the outcome of each object. */

/**
 * The stages of a batch after its planning, in order: each expects it in state `from` and leaves it in state `to`. All code
 * that depends on their order is derived from this table.
 */
const STAGES = [
  { stage: "copy", from: "planned", to: "copied" },
  { stage: "verify", from: "copied", to: "verified" },
  { stage: "update", from: "verified", to: "updated" },
  { stage: "delete", from: "updated", to: "done" },
] as const;

export type BatchStage = (typeof STAGES)[number]["stage"];
export type Stage = "plan" | BatchStage;

/** Of a planned batch whose copies an external engine makes: no stage takes it up before that engine is done with it. */
export const CONSIGNED = "consigned";

/** The last stage whose outcome is in the ledger; the next stage follows from it. */
export type BatchState = (typeof STAGES)[number]["from" | "to"] | typeof CONSIGNED;

/** Why an object was deliberately not moved. */
export type SkipReason = "duplicate" | "source_gone" | "retried";

/** Why an object could not be moved; each code has advice in {@link ADVICE}. */
export type ExceptionCode =
  | "source_missing"
  | "source_changed"
  | "target_exists"
  | "target_lost"
  | "target_changed"
  | "needs_restore"
  | "access_denied"
  | "key_too_long"
  | "key_invalid"
  | "copy_refused"
  | "unverifiable"
  | "verify_mismatch"
  | "row_changed"
  | "row_conflict"
  | "row_value_too_long"
  | "row_not_updated"
  | "value_not_understood"
  | "still_referenced"
  | "delete_denied"
  | "delete_refused"
  | "outside_prefix"
  | "left_behind";

/** What an operator can do about each exception; shown beside it and in the documentation. */
export const ADVICE: Readonly<Record<ExceptionCode, string>> = {
  source_missing:
    "The object is not in the source bucket, though a row or the manifest names it. Restore it, or correct or delete the row, then retry: what no row names then is skipped.",
  source_changed:
    "The source was overwritten, or its metadata were changed, after it had been copied. Retry to replace the copy by the newer version, or delete the source.",
  target_exists:
    "Another object stands at the new key. Remove it, or use onConflict skip-identical or overwrite.",
  target_lost: "The verified copy is no longer at the new key; the source was kept. Retry to copy it again.",
  target_changed:
    "The object at the new key is not the copy that was verified; the source was kept. Compare them.",
  needs_restore: "The object is archived. Restore it (RestoreObject), then retry.",
  access_denied: "The store denied access to this object. Grant the right named in the message, then retry.",
  key_too_long: "The new key would be longer than 1,024 bytes. Choose a shorter target prefix.",
  key_invalid: "The new key cannot be used with this store. Choose another target prefix.",
  copy_refused: "The store refused to copy this object; the message has its reason.",
  unverifiable:
    "Neither ETag nor checksum can prove the copy. Use verify size if that is enough for you, then retry.",
  verify_mismatch: "The copy differs from the source; the source was kept. Remove the copy, then retry.",
  row_changed:
    "Someone else changed the row while the object was moved; it was not touched and the source was kept.",
  row_conflict: "The new value is already taken in a unique index. Correct the rows, then retry.",
  row_value_too_long: "The new value does not fit the column. Widen the column, then retry.",
  row_not_updated:
    "The database refused to change the row, or a trigger undid or altered the change; the message says which.",
  value_not_understood:
    "The column's value does not follow the reference's form. Correct the row, then retry.",
  still_referenced: "A row still names the old key; the source was kept. Correct the row, then retry.",
  delete_denied:
    "The store denied the deletion (retention or missing right); the object is copied and the rows are updated.",
  delete_refused: "The store refused the deletion; the message has its reason.",
  outside_prefix:
    "The manifest names this key, which is not under the source prefix. Move it by a job with its prefix, or take it out of the manifest.",
  left_behind:
    "It came under the old prefix again and again while the job was ending. Let the application write to the new place only, then retry.",
};

/** A row that named the object at planning: index of the reference in the job, and the row's key as text. */
export interface ReferencingRow {
  readonly reference: number;
  readonly id: string;
}

/** An object as it was planned. Keys are opaque: never trimmed, folded or re-encoded. */
export interface PlannedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without quotes; empty when the object was not found in the source. */
  readonly etag: string;
  /** Null stands for STANDARD. */
  readonly storageClass: string | null;
  /** `LastModified`, epoch ms, exact to the second; null when the object was not found or an older version planned it. */
  readonly modifiedAt: number | null;
  readonly rows: readonly ReferencingRow[];
}

export type Outcome =
  | { readonly kind: "pending" }
  | { readonly kind: "moved" }
  | { readonly kind: "skipped"; readonly reason: SkipReason }
  | { readonly kind: "exception"; readonly code: ExceptionCode; readonly message: string };

export const PENDING: Outcome = { kind: "pending" };
export const MOVED: Outcome = { kind: "moved" };

/**
 * An object of a batch: what was planned, and what the stages have recorded so far. Size, ETag, storage class and
 * `modifiedAt` change only when the source was overwritten before it was copied: the newer version is moved then.
 */
export interface BatchObject extends PlannedObject {
  size: number;
  etag: string;
  storageClass: string | null;
  modifiedAt: number | null;
  /** ETag of the verified copy, null before verification. */
  targetEtag: string | null;
  outcome: Outcome;
}

/** A batch in memory. Only the stage that is processing it changes its objects. */
export interface Batch {
  readonly jobId: string;
  /** 1, 2, … in planning order. */
  readonly seq: number;
  state: BatchState;
  readonly objects: BatchObject[];
  /** Whether its objects were exceptions that an operator has retried. */
  readonly isRetry?: boolean;
  /**
   * Fencing token under which it was planned: an older one means an earlier run may have worked on it. 0 where an external
   * engine may have made some of its copies.
   */
  readonly plannedUnder: number;
  /** Epoch milliseconds when its rows were updated; null before. The grace period counts from here. */
  updatedAt: number | null;
}

/** The objects of `batch` that have no outcome yet. */
export function pending(batch: Batch): BatchObject[] {
  return batch.objects.filter((object) => object.outcome.kind === "pending");
}

/** Gives `object` the exception `code`, unless it has an outcome: the first exception is the cause. */
export function fail(object: BatchObject, code: ExceptionCode, message: string): void {
  if (object.outcome.kind === "pending") object.outcome = { kind: "exception", code, message };
}

/** The stage a batch in `state` waits for, or null when it is done. */
export function nextStage(state: BatchState): BatchStage | null {
  const from = state === CONSIGNED ? FIRST_STATE : state;
  return STAGES.find((line) => line.from === from)?.stage ?? null;
}

/** The state in which `stage` expects a batch. */
export function stateBefore(stage: BatchStage): BatchState {
  return lineOf(stage).from;
}

/** The state in which `stage` leaves a batch. */
export function stateAfter(stage: BatchStage): BatchState {
  return lineOf(stage).to;
}

/** The stages of a batch, in order. */
export const BATCH_STAGES: readonly BatchStage[] = STAGES.map(({ stage }) => stage);

/** The state of a newly planned batch. */
export const FIRST_STATE: BatchState = STAGES[0].from;

/** All states in which a batch waits for a stage. */
export const OPEN_STATES: readonly BatchState[] = STAGES.map(({ from }) => from);

/** The later of two states. */
export function laterState(a: BatchState, b: BatchState): BatchState {
  const place = (state: BatchState) => STAGES.findIndex(({ to }) => to === state);
  return place(a) > place(b) ? a : b;
}

/** Whether stage `a` comes before stage `b`. */
export function isBefore(a: Stage, b: Stage): boolean {
  const place = (stage: Stage) => STAGES.findIndex((line) => line.stage === stage);
  return place(a) < place(b);
}

function lineOf(stage: BatchStage) {
  return STAGES.find((line) => line.stage === stage) ?? STAGES[0];
}
