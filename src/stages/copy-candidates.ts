/** Candidates for a copy: the pending objects of a batch, with what stands at their new keys. */

import { type Batch, type BatchObject, fail, pending } from "../domain/batch.ts";
import type { CopyVerdict, SeenVersion } from "../domain/verdict.ts";
import { targetAccess, targetKeys } from "./bucket-access.ts";
import { headMany } from "./head-many.ts";
import type { CopyContext } from "./stage-contexts.ts";

const UNPROVED =
  "; it may be the copy of an attempt that was cut off, but neither ETag nor checksum proves that it is this job's";

/** An object to copy, with the last known state of both sides. */
export interface Candidate {
  readonly object: BatchObject;
  /** The version to copy. The object adopts it only together with its copy, as a copy of an older one must not count for it. */
  readonly version: BatchObject;
  readonly target: SeenVersion | null;
  /** Whether an earlier attempt may have copied this very version. */
  readonly mayBeOurs: boolean;
}

/** A verdict against a copy. */
export type NoCopy = Exclude<CopyVerdict, { readonly copy: true }>;

/** The pending objects of `batch` that have a source, with the objects at their new keys. */
export async function candidates(
  context: CopyContext,
  batch: Batch,
  mayBeOurs: boolean,
): Promise<Candidate[]> {
  const wanted = pending(batch).filter((object) => object.etag !== "");
  const keys = targetKeys(context, wanted);
  const targets = await headMany(targetAccess(context), keys);
  return wanted.flatMap((object, at): Candidate[] => {
    const key = keys[at] ?? "";
    const failure = targets.failed.get(key);
    if (failure === undefined) {
      return [{ object, version: object, target: targets.found.get(key) ?? null, mayBeOurs }];
    }
    fail(object, failure.code, failure.message);
    return [];
  });
}

/** Gives the object of `candidate` the exception that `verdict` names. */
export function refuse(
  { object, target, mayBeOurs }: Candidate,
  verdict: Exclude<NoCopy, { readonly because: "already_there" }>,
): void {
  const how = verdict.identical ? "an identical object" : "a different object";
  const unproved = mayBeOurs && !verdict.identical ? UNPROVED : "";
  const message = `${how} stands at the new key (ETag ${target?.etag ?? "unknown"})${unproved}`;
  fail(object, verdict.because, message);
}
