/** PlannedCopy: the copy that a task of a Batch Operations job asks for, checked against the job's terms. */

import { keyFault, mapKey } from "../domain/keys/key-mapping.ts";
import { type CopyTask, decodeTask } from "../engines/aws/copy-task.ts";
import type { JobTerms } from "../engines/aws/user-arguments.ts";
import type { BatchTask } from "./batch-operations-event.ts";

export interface PlannedCopy {
  readonly task: CopyTask;
  readonly source: { readonly bucket: string; readonly key: string };
  readonly target: { readonly bucket: string; readonly key: string };
  /** Of the consignment that the copy belongs to. */
  readonly token: string;
}

/** The copy that `task` asks for; throws `RangeError` for a task that is not understood or does not fit the terms. */
export function planCopy(terms: JobTerms, { bucket, field }: BatchTask): PlannedCopy {
  if (bucket !== terms.sourceBucket)
    throw new RangeError(`the task is of bucket ${bucket || "(none)"}, the job of ${terms.sourceBucket}`);
  const task = decodeTask(field);
  if (task === null) throw new RangeError("the manifest's key field is not understood");
  // Without one the copy could not be pinned to a version.
  if (task.etag === "") throw new RangeError("the task names no ETag");
  const key = mapKey({ from: terms.sourcePrefix, to: terms.targetPrefix }, task.key);
  if (keyFault(key) !== null) throw new RangeError("the new key is not one that S3 accepts");
  if (bucket === terms.targetBucket && key === task.key)
    throw new RangeError("source and target are the same");
  return {
    task,
    source: { bucket, key: task.key },
    target: { bucket: terms.targetBucket, key },
    token: terms.token,
  };
}
