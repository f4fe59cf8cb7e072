/** Checks a completed multipart copy and adds what some stores leave out of it: ETag and tags. */

import { PutObjectTaggingCommand, type Tag } from "@aws-sdk/client-s3";
import type { CopyRequest, WriteLimiter } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { guardSend } from "../client/send-guard.ts";
import { bareEtag } from "../read/etag.ts";
import { sendHead } from "../read/object-facts.ts";
import { badAnswer, S3Fault } from "../s3-errors.ts";

type Target = CopyRequest["target"];

/** What the store answered to the completion, and what the object has to be. */
export interface Completion {
  readonly target: Target;
  /** Empty where the store did not give it. */
  readonly etag: string;
  readonly size: number;
  /** The ETag of an object of these parts; null where it cannot be computed from theirs. */
  readonly expectedEtag: string | null;
  readonly tags: readonly Tag[];
}

/** A completed copy and the source's tags. */
export interface TaggedCopy {
  readonly target: Target;
  readonly etag: string;
  readonly tags: readonly Tag[];
}

const REPEATABLE = { isRepeatable: true } as const;

/**
 * Gives the target's ETag. Ceph 16.2 answers `CompleteMultipartUpload` with an empty ETag and drops the tags given to
 * `CreateMultipartUpload`, so where either matters the target is read. Not stopped by a signal: the object exists, and
 * no later step would add its tags. A fault has `createdEtag` when only they are missing.
 */
export async function checkCompletion(
  requests: S3Requests,
  { target, etag, size, expectedEtag, tags }: Completion,
  limiter: WriteLimiter,
): Promise<string> {
  if (etag !== "" && tags.length === 0) return etag;
  const head = await headTarget(requests, target, limiter);
  const found = bareEtag(head.ETag);
  // Equal size and number of parts prove nothing: another writer's object may have replaced the copy.
  const created = etag === "" ? expectedEtag : etag;
  if (head.ContentLength !== size || created === null || found !== created) {
    throw badAnswer(`completing ${target.bucket}/${target.key}`, "the new object is not the copy");
  }
  if (head.TagCount !== tags.length) await setTags(requests, { target, etag: found, tags }, limiter);
  return found;
}

/**
 * Sets the tags of a copy that an earlier attempt has completed, unless it has any: they were set by another writer.
 * Throws the fault `precondition_failed` when another object stands at the target.
 */
export async function restoreTags(
  requests: S3Requests,
  copy: TaggedCopy,
  limiter: WriteLimiter,
): Promise<void> {
  const { target, etag } = copy;
  const head = await headTarget(requests, target, limiter);
  if (bareEtag(head.ETag) !== etag) throw replaced(target);
  if ((head.TagCount ?? 0) === 0) await setTags(requests, copy, limiter);
}

function headTarget(requests: S3Requests, { bucket, key }: Target, limiter: WriteLimiter) {
  return limiter(0, () => sendHead(requests, { Bucket: bucket, Key: key }, undefined), undefined, REPEATABLE);
}

/** Sends a HEAD after all waiting, right before the tags: those of an object that has replaced the copy are kept. */
async function setTags(
  requests: S3Requests,
  { target, etag, tags }: TaggedCopy,
  limiter: WriteLimiter,
): Promise<void> {
  const { bucket, key } = target;
  const doing = `tagging ${bucket}/${key}`;
  const input = { Bucket: bucket, Key: key, Tagging: { TagSet: [...tags] } };
  const send = async () => {
    const { ETag } = await sendHead(requests, { Bucket: bucket, Key: key }, undefined);
    if (bareEtag(ETag) !== etag) throw replaced(target);
    return requests.send({ kind: "other", doing }, undefined, (client, options) => {
      const command = new PutObjectTaggingCommand(input);
      guardSend(command, requests.mayWrite);
      return client.send(command, options);
    });
  };
  try {
    await limiter(1, send, undefined, REPEATABLE);
  } catch (error) {
    if (error instanceof S3Fault) error.createdEtag = etag;
    throw error;
  }
}

function replaced({ bucket, key }: Target): S3Fault {
  const parts = { code: "PreconditionFailed", status: 412, message: "another object stands there" };
  return new S3Fault(parts, `looking at ${bucket}/${key}`);
}
