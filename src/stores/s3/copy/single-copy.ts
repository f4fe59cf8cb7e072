/** Copies one object in one request: `CopyObject`, conditional on the ETag that the source had when it was planned. */

import type { StorageClass } from "@aws-sdk/client-s3";
import { bareEtag, quotedEtag } from "../read/etag.ts";
import { badAnswer } from "../s3-errors.ts";
import { canProbeWith, copyAndProbe } from "./condition-probe.ts";
import { copySource } from "./copy-source.ts";
import type { PooledCopies } from "./pooled-copies.ts";
import { copyBySdk } from "./sdk-copy.ts";
import { type CopyAttempt, sendIfTargetFits } from "./target-conditions.ts";

/**
 * Gives the new object's ETag. Only an ETag in the body is success: S3 may answer 200 and fail afterwards. Sent by the
 * SDK where `pools` is null.
 */
export function singleCopy(context: CopyAttempt, pools: PooledCopies | null): Promise<string> {
  const { capabilities, request } = context;
  return capabilities.copyConditions === "unknown" && canProbeWith(request)
    ? copyAndProbe(context, (copying) => conditionalCopy(copying, pools))
    : conditionalCopy(context, pools);
}

async function conditionalCopy(context: CopyAttempt, pools: PooledCopies | null): Promise<string> {
  const { requests, request, signal } = context;
  const { source, target, storageClass, onAnswered } = request;
  const doing = `copying ${source.bucket}/${source.key}`;
  const label = { kind: "copy", doing, bytes: source.size } as const;
  const written = await sendIfTargetFits(context, ({ IfNoneMatch, IfMatch }, mayBegin) => {
    const input = {
      Bucket: target.bucket,
      Key: target.key,
      CopySource: copySource(source.bucket, source.key),
      CopySourceIfMatch: quotedEtag(source.etag),
      MetadataDirective: "COPY",
      TaggingDirective: "COPY",
      // A copy falls back to STANDARD unless the class is named.
      StorageClass: (storageClass ?? undefined) as StorageClass | undefined,
      IfNoneMatch,
    } as const;
    const copy = { requests, label, input, signal, mayBegin, onAnswered };
    // An `IfMatch` differs with each copy and would need a header template each time; such copies are rare.
    if (pools === null || IfMatch !== undefined) return copyBySdk({ ...copy, input: { ...input, IfMatch } });
    return pools.send(copy);
  });
  const etag = bareEtag(written);
  if (etag === "") throw badAnswer(doing, "no ETag in the answer");
  return etag;
}
