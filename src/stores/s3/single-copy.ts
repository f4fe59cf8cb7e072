/** Copies one object in one request: `CopyObject`, pinned to the version that was planned. */

import { CopyObjectCommand, type StorageClass } from "@aws-sdk/client-s3";
import type { CopyRequest } from "../../ports/object-store.ts";
import type { SingleCopyInput } from "./copy-headers.ts";
import { copySource } from "./copy-source.ts";
import { bareEtag, quotedEtag } from "./etag.ts";
import { lookBeforeSending } from "./last-look.ts";
import type { PooledCopies } from "./pooled-copies.ts";
import { badAnswer } from "./s3-errors.ts";
import type { RequestLabel, S3Requests } from "./s3-requests.ts";
import { type StoreAbilities, withIfAbsent } from "./store-abilities.ts";

/**
 * Gives the new object's ETag. Only an ETag in the body is success: S3 may answer 200 and fail afterwards. Goes by the
 * SDK where there are no `pools`.
 */
export async function singleCopy(
  requests: S3Requests,
  pools: PooledCopies | null,
  request: CopyRequest,
  abilities: StoreAbilities,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { source, target, storageClass, onlyIfAbsent } = request;
  const doing = `copying ${source.bucket}/${source.key}`;
  const label = { kind: "copy", doing, bytes: source.size } as const;
  const written = await withIfAbsent(abilities, onlyIfAbsent, (ifNoneMatch) => {
    const input: SingleCopyInput = {
      Bucket: target.bucket,
      Key: target.key,
      CopySource: copySource(source.bucket, source.key),
      CopySourceIfMatch: quotedEtag(source.etag),
      MetadataDirective: "COPY",
      TaggingDirective: "COPY",
      // A copy falls back to STANDARD unless the class is named.
      StorageClass: (storageClass ?? undefined) as StorageClass | undefined,
      IfNoneMatch: ifNoneMatch,
    };
    if (pools === null) return bySdk(requests, label, input, signal);
    return pools.send(requests, label, input, signal, request);
  });
  const etag = bareEtag(written);
  if (etag === "") throw badAnswer(doing, "no ETag in the answer");
  return etag;
}

async function bySdk(
  requests: S3Requests,
  label: RequestLabel,
  input: SingleCopyInput,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const command = new CopyObjectCommand(input);
  lookBeforeSending(command, requests.mayWrite);
  const output = await requests.send(label, signal, (client, options) => client.send(command, options));
  return output.CopyObjectResult?.ETag;
}
