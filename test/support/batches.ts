/** Batches and their objects, as planning would have left them. */

import { type Batch, type BatchObject, PENDING } from "../../src/domain/batch.ts";

/** A pending object of one byte. */
export function batchObject(key: string, more: Partial<BatchObject> = {}): BatchObject {
  const facts = { size: 1, etag: "e", storageClass: null, modifiedAt: 0, rows: [], targetEtag: null };
  return { key, ...facts, outcome: PENDING, ...more };
}

/** The first batch of a job, planned. */
export function plannedBatch(objects: BatchObject[]): Batch {
  return { jobId: "j", seq: 1, state: "planned", objects, plannedUnder: 1, updatedAt: null };
}
