/** Makes up for what some stores leave out when they complete a multipart copy. */

import { PutObjectTaggingCommand, type Tag } from "@aws-sdk/client-s3";
import type { CopyRequest, WritePass } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { bareEtag } from "../read/etag.ts";
import { headObject } from "../read/object-facts.ts";
import { badAnswer, S3Fault } from "../s3-errors.ts";
import { lookBeforeSending } from "./last-look.ts";

type Target = CopyRequest["target"];

/** What the completed object should be. */
export interface Completed {
  readonly target: Target;
  /** Empty where the store did not say. */
  readonly etag: string;
  readonly size: number;
  /** The ETag that an object of these parts has; null where the parts' own do not tell. */
  readonly expected: string | null;
  readonly tags: readonly Tag[];
}

/** A copy that has been completed, and the tags that belong to it. */
export interface Standing {
  readonly target: Target;
  readonly etag: string;
  /** The source's. */
  readonly tags: readonly Tag[];
}

const REPEATABLE = { isRepeatable: true } as const;

/**
 * Gives the target's ETag. Ceph (16.2 measured) answers `CompleteMultipartUpload` with an empty ETag and forgets the
 * tags that `CreateMultipartUpload` named, so the target is looked at where either matters. Not stopped by a signal:
 * the object is there, and nobody would come back for its tags. A fault tells which object stands there without them.
 */
export async function settleTarget(
  requests: S3Requests,
  { target, etag, size, expected, tags }: Completed,
  pass: WritePass,
): Promise<string> {
  if (etag !== "" && tags.length === 0) return etag;
  const head = await look(requests, target, pass);
  const seen = bareEtag(head.ETag);
  // Size and number of parts are no proof: another's object may have replaced the copy since.
  const made = etag === "" ? expected : etag;
  if (head.ContentLength !== size || made === null || seen !== made) {
    throw badAnswer(`completing ${target.bucket}/${target.key}`, "the new object is not the copy");
  }
  if (head.TagCount !== tags.length) await setTags(requests, { target, etag: seen, tags }, pass);
  return seen;
}

/**
 * Gives the object that an earlier attempt has made the tags it never got. One that has any keeps them: somebody has set
 * them since. Throws the fault `precondition_failed` when another object stands there.
 */
export async function restoreTags(requests: S3Requests, standing: Standing, pass: WritePass): Promise<void> {
  const { target, etag } = standing;
  const head = await look(requests, target, pass);
  if (bareEtag(head.ETag) !== etag) throw replaced(target);
  if ((head.TagCount ?? 0) === 0) await setTags(requests, standing, pass);
}

function look(requests: S3Requests, { bucket, key }: Target, pass: WritePass) {
  return pass(0, () => headObject(requests, { Bucket: bucket, Key: key }, undefined), undefined, REPEATABLE);
}

/**
 * A fault tells of the object that stands there without them. The object is looked at once more after all waiting: tags
 * of another one that has replaced it must stay.
 */
async function setTags(
  requests: S3Requests,
  { target, etag, tags }: Standing,
  pass: WritePass,
): Promise<void> {
  const { bucket, key } = target;
  const doing = `tagging ${bucket}/${key}`;
  const input = { Bucket: bucket, Key: key, Tagging: { TagSet: [...tags] } };
  const send = async () => {
    const { ETag } = await headObject(requests, { Bucket: bucket, Key: key }, undefined);
    if (bareEtag(ETag) !== etag) throw replaced(target);
    return requests.send({ kind: "other", doing }, undefined, (client, options) => {
      const command = new PutObjectTaggingCommand(input);
      lookBeforeSending(command, requests.mayWrite);
      return client.send(command, options);
    });
  };
  try {
    await pass(1, send, undefined, REPEATABLE);
  } catch (error) {
    if (error instanceof S3Fault) error.standing = etag;
    throw error;
  }
}

function replaced({ bucket, key }: Target): S3Fault {
  const parts = { code: "PreconditionFailed", status: 412, message: "another object stands there" };
  return new S3Fault(parts, `looking at ${bucket}/${key}`);
}
