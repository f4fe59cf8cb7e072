/** Makes up for what some stores leave out when they complete a multipart copy. */

import { PutObjectTaggingCommand, type Tag } from "@aws-sdk/client-s3";
import type { WritePass } from "../../ports/object-store.ts";
import { bareEtag, partsInEtag } from "./etag.ts";
import { lookBeforeSending } from "./last-look.ts";
import { headObject } from "./object-facts.ts";
import { badAnswer } from "./s3-errors.ts";
import type { S3Requests } from "./s3-requests.ts";

/** What the completed object should be. */
export interface Completed {
  /** Empty where the store did not say. */
  readonly etag: string;
  readonly size: number;
  /** Null where the ETag is known. */
  readonly parts: number | null;
  readonly tags: readonly Tag[];
}

/**
 * Gives the target's ETag. Ceph (16.2 measured) answers `CompleteMultipartUpload` with an empty ETag and forgets the
 * tags that `CreateMultipartUpload` named, so the target is looked at where either matters. Not stopped by a signal:
 * the object is there, and nobody would come back for its tags.
 */
export async function settleTarget(
  requests: S3Requests,
  target: { readonly bucket: string; readonly key: string },
  completed: Completed,
  pass: WritePass,
): Promise<string> {
  const { etag, size, parts, tags } = completed;
  if (etag !== "" && tags.length === 0) return etag;
  const at = { Bucket: target.bucket, Key: target.key };
  const head = await headObject(requests, at, undefined);
  const seen = bareEtag(head.ETag);
  if (head.ContentLength !== size || (etag === "" ? partsInEtag(seen) !== parts : seen !== etag)) {
    throw badAnswer(`completing ${target.bucket}/${target.key}`, "the new object is not the copy");
  }
  if (head.TagCount !== tags.length) {
    const doing = `tagging ${target.bucket}/${target.key}`;
    const input = { ...at, Tagging: { TagSet: [...tags] } };
    const send = () =>
      requests.send({ kind: "other", doing }, undefined, (client, options) => {
        const command = new PutObjectTaggingCommand(input);
        lookBeforeSending(command, requests.mayWrite);
        return client.send(command, options);
      });
    await pass(1, send, undefined, { isRepeatable: true });
  }
  return seen;
}
