/** Copies one object in one request: `CopyObject`, pinned to the version that was planned. */

import { CopyObjectCommand, type StorageClass } from "@aws-sdk/client-s3";
import type { RequestLabel } from "../client/s3-requests.ts";
import { bareEtag, quotedEtag } from "../read/etag.ts";
import { badAnswer } from "../s3-errors.ts";
import type { SingleCopyInput } from "./copy-headers.ts";
import { copySource } from "./copy-source.ts";
import { canFindOut, copyAndFindOut } from "./find-conditions.ts";
import { lookBeforeSending } from "./last-look.ts";
import type { PooledCopies } from "./pooled-copies.ts";
import { type Guarded, guardTarget, type TargetConditions } from "./target-guard.ts";

/**
 * Gives the new object's ETag. Only an ETag in the body is success: S3 may answer 200 and fail afterwards. Goes by the
 * SDK where there are no `pools`.
 */
export function singleCopy(guarded: Guarded, pools: PooledCopies | null): Promise<string> {
  const { abilities, request } = guarded;
  const mustFindOut = abilities.copyConditions === "unknown" && canFindOut(request);
  return mustFindOut
    ? copyAndFindOut(guarded, (copying) => guardedCopy(copying, pools))
    : guardedCopy(guarded, pools);
}

async function guardedCopy(guarded: Guarded, pools: PooledCopies | null): Promise<string> {
  const { requests, request, signal } = guarded;
  const { source, target, storageClass } = request;
  const doing = `copying ${source.bucket}/${source.key}`;
  const label = { kind: "copy", doing, bytes: source.size } as const;
  const written = await guardTarget(guarded, ({ IfNoneMatch, IfMatch }, mayBegin) => {
    const input: SingleCopyInput = {
      Bucket: target.bucket,
      Key: target.key,
      CopySource: copySource(source.bucket, source.key),
      CopySourceIfMatch: quotedEtag(source.etag),
      MetadataDirective: "COPY",
      TaggingDirective: "COPY",
      // A copy falls back to STANDARD unless the class is named.
      StorageClass: (storageClass ?? undefined) as StorageClass | undefined,
      IfNoneMatch,
    };
    // Replacing an object is rare, and its condition differs with each: it has no place in the pooled headers.
    if (pools === null || IfMatch !== undefined) {
      return bySdk({ ...guarded, mayBegin }, label, { ...input, IfMatch });
    }
    return pools.send(requests, label, input, signal, { onAnswered: request.onAnswered, mayBegin });
  });
  const etag = bareEtag(written);
  if (etag === "") throw badAnswer(doing, "no ETag in the answer");
  return etag;
}

async function bySdk(
  { requests, signal, mayBegin }: Pick<Guarded, "requests" | "signal"> & { readonly mayBegin: () => boolean },
  label: RequestLabel,
  input: SingleCopyInput & Pick<TargetConditions, "IfMatch">,
): Promise<string | undefined> {
  const command = new CopyObjectCommand(input);
  lookBeforeSending(command, mayBegin);
  const output = await requests.send(label, signal, (client, options) => client.send(command, options));
  return output.CopyObjectResult?.ETag;
}
