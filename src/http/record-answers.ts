/** Converts records of the ledger to API answers: times in ISO 8601 instead of epoch milliseconds. */

import { ADVICE, type Outcome } from "../domain/batch.ts";
import type {
  AuditEvent,
  BatchSummary,
  ExceptionRecord,
  ObjectHistory,
  Page,
  StageRecord,
} from "../ports/ledger.ts";

/** `page` with each item converted. */
export function pageAnswer<Item, Answer>(page: Page<Item>, answer: (item: Item) => Answer) {
  return { items: page.items.map(answer), next: page.next };
}

/** A batch as answered. */
export function batchAnswer(batch: BatchSummary) {
  return {
    ...batch,
    plannedAt: iso(batch.plannedAt),
    copy: stageAnswer(batch.copy),
    verify: stageAnswer(batch.verify),
    update: stageAnswer(batch.update),
    delete: stageAnswer(batch.delete),
  };
}

/** An exception as answered. */
export function exceptionAnswer(exception: ExceptionRecord & { readonly advice: string }) {
  return { ...exception, at: iso(exception.at) };
}

/** An audit event as answered. */
export function auditAnswer(event: AuditEvent) {
  return { ...event, at: iso(event.at) };
}

/** An object's history as answered, with advice where it is an exception. */
export function objectAnswer(object: ObjectHistory) {
  const { outcome, ...history } = object;
  return {
    ...history,
    fate: fateAnswer(outcome),
    plannedAt: iso(object.plannedAt),
    copiedAt: isoOrNull(object.copiedAt),
    verifiedAt: isoOrNull(object.verifiedAt),
    updatedAt: isoOrNull(object.updatedAt),
    deletedAt: isoOrNull(object.deletedAt),
  };
}

/** An outcome in the terms of the API, which calls a pending one `going`. */
function fateAnswer(outcome: Outcome) {
  if (outcome.kind === "pending") return { kind: "going" as const };
  return outcome.kind === "exception" ? { ...outcome, advice: ADVICE[outcome.code] } : outcome;
}

function stageAnswer({ startedAt, endedAt, attempts }: StageRecord) {
  return { startedAt: isoOrNull(startedAt), endedAt: isoOrNull(endedAt), attempts };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
