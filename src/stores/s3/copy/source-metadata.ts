/** Reads what `CopyObject` would keep of an object, for a multipart copy, which by itself keeps nothing. */

import {
  type ChecksumAlgorithm,
  type CreateMultipartUploadCommandInput,
  GetObjectTaggingCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  type Tag,
} from "@aws-sdk/client-s3";
import type { CopyRequest } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { bareEtag, partsInEtag, quotedEtag } from "../read/etag.ts";
import { checksumsOf, needsRestore, sendHead } from "../read/object-facts.ts";
import { badAnswer, hasKind, S3Fault } from "../s3-errors.ts";
import { fitsPartCount } from "./part-plan.ts";

/** What a multipart copy needs to know of its source. */
export interface SourceMetadata {
  readonly size: number;
  /** Epoch milliseconds, 0 where the store does not tell. Metadata may be changed under the same ETag. */
  readonly modifiedAt: number;
  readonly firstPartBytes: number | null;
  readonly tags: readonly Tag[];
  /** Input of `CreateMultipartUpload`. */
  readonly kept: Partial<CreateMultipartUploadCommandInput>;
  /** The raw header: the SDK would send well-formed dates only, and `0` and `-1` are common. */
  readonly expires: string | null;
}

/**
 * Whether a copy in parts of the source with ETag `etag` can be verified: by a checksum over the whole object, which the
 * copy will have too, or by the ETag, which is the same if the parts are. With KMS an ETag does not depend on the bytes.
 */
export function isVerifiableInParts({ size, kept, firstPartBytes }: SourceMetadata, etag: string): boolean {
  if (kept.ChecksumType === "FULL_OBJECT") return true;
  return kept.ServerSideEncryption === undefined && fitsPartCount({ size, etag }, firstPartBytes);
}

/** Sends HEADs of the source, conditional on its ETag. Throws faults: `gone`, `precondition_failed`, `needs_restore`, … */
export async function readSourceMetadata(
  requests: S3Requests,
  source: CopyRequest["source"],
  signal: AbortSignal | undefined,
): Promise<SourceMetadata> {
  const input = pinnedHeadInput(source);
  const head = await sendHead(requests, { ...input, ChecksumMode: "ENABLED" }, signal);
  refuseUncopiable(head, source);
  const firstPart =
    partsInEtag(source.etag) === null ? null : await sendHead(requests, { ...input, PartNumber: 1 }, signal);
  const tags = await fetchTags(requests, source, signal);
  return {
    size: head.ContentLength ?? source.size,
    modifiedAt: head.LastModified?.getTime() ?? 0,
    // A store that ignores the part number gives the size of the whole object, without `PartsCount`.
    firstPartBytes: firstPart?.PartsCount === undefined ? null : (firstPart.ContentLength ?? null),
    kept: { ...contentHeaders(head), ...encryption(head), ...checksum(head) },
    tags,
    expires: head.ExpiresString ?? null,
  };
}

function refuseUncopiable(head: HeadObjectCommandOutput, source: CopyRequest["source"]): void {
  const doing = `looking at ${source.bucket}/${source.key}`;
  // Some stores ignore conditions on HEAD.
  if (bareEtag(head.ETag) !== source.etag) {
    throw new S3Fault({ code: "PreconditionFailed", status: 412, message: "the source changed" }, doing);
  }
  if (head.ContentLength === undefined) throw badAnswer(doing, "no size given");
  if (needsRestore(head)) {
    throw new S3Fault(
      { code: "InvalidObjectState", status: 403, message: `it is in ${head.StorageClass}` },
      doing,
    );
  }
  if ((head.MissingMeta ?? 0) > 0) {
    const message = "it has metadata that HTTP headers cannot carry";
    throw new S3Fault({ code: "MissingMeta", status: null, message }, doing);
  }
  const values = [...Object.values(head.Metadata ?? {}), head.ContentDisposition ?? ""];
  // The SDK would sign them as UTF-8 and Node send them as Latin-1. AWS gives such values encoded by RFC 2047.
  if (values.some((value) => /[^\x20-\x7e\t]/.test(value))) {
    const message = "it has metadata outside ASCII, which a multipart copy could not keep";
    throw new S3Fault({ code: "MetadataNotAscii", status: null, message }, doing);
  }
}

function contentHeaders(head: HeadObjectCommandOutput): Partial<CreateMultipartUploadCommandInput> {
  return {
    Metadata: head.Metadata,
    ContentType: head.ContentType,
    CacheControl: head.CacheControl,
    ContentDisposition: head.ContentDisposition,
    ContentEncoding: head.ContentEncoding,
    ContentLanguage: head.ContentLanguage,
    WebsiteRedirectLocation: head.WebsiteRedirectLocation,
  };
}

/** KMS is requested as the source has it; anything else is the target bucket's default, as with `CopyObject`. */
function encryption(head: HeadObjectCommandOutput): Partial<CreateMultipartUploadCommandInput> {
  if (!head.ServerSideEncryption?.startsWith("aws:kms")) return {};
  return {
    ServerSideEncryption: head.ServerSideEncryption,
    SSEKMSKeyId: head.SSEKMSKeyId,
    BucketKeyEnabled: head.BucketKeyEnabled,
  };
}

/** A whole-object checksum of the source's algorithm, by which the copy can be compared where the ETags differ. */
function checksum(head: HeadObjectCommandOutput): Partial<CreateMultipartUploadCommandInput> {
  const whole = checksumsOf(head).find(
    ({ algorithm, type }) => type === "FULL_OBJECT" && algorithm.startsWith("CRC"),
  );
  if (whole === undefined) return {};
  return { ChecksumAlgorithm: whole.algorithm as ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" };
}

/** The tags of `source`; none on a store without tags. Throws faults. */
export async function fetchTags(
  requests: S3Requests,
  source: CopyRequest["source"],
  signal: AbortSignal | undefined,
): Promise<readonly Tag[]> {
  const doing = `reading the tags of ${source.bucket}/${source.key}`;
  try {
    const output = await requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new GetObjectTaggingCommand({ Bucket: source.bucket, Key: source.key }), options),
    );
    return output.TagSet ?? [];
  } catch (error) {
    if (hasKind(error, "not_implemented")) return [];
    throw error;
  }
}

/** Tags as in the `x-amz-tagging` header. */
export function tagHeader(tags: readonly Tag[]): string {
  return tags
    .map(({ Key = "", Value = "" }) => `${encodeURIComponent(Key)}=${encodeURIComponent(Value)}`)
    .join("&");
}

/** Of a HEAD that fails with 412 when the object is no longer the version of `source`. */
export function pinnedHeadInput(source: CopyRequest["source"]): HeadObjectCommandInput {
  return { Bucket: source.bucket, Key: source.key, IfMatch: quotedEtag(source.etag) };
}
