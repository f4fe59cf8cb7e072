/** Reads all that `CopyObject` would keep of an object, for a multipart copy, which by itself keeps nothing. */

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
import { checksumsOf, headObject, needsRestore } from "../read/object-facts.ts";
import { badAnswer, S3Fault } from "../s3-errors.ts";
import { givesSameParts } from "./part-plan.ts";

/** What a multipart copy must be told. */
export interface SourceTraits {
  readonly size: number;
  /** When the source was last changed: metadata change under the same ETag. Epoch ms, 0 where it is not told. */
  readonly modifiedAt: number;
  readonly firstPartBytes: number | null;
  readonly tags: readonly Tag[];
  /** Goes into `CreateMultipartUpload`. */
  readonly kept: Partial<CreateMultipartUploadCommandInput>;
  /** Raw, as the SDK would only send a well-formed date; `0` and `-1` are common. */
  readonly expires: string | null;
}

/**
 * Whether a copy in parts can be proved to be the same as the source, whose ETag is `etag`: by a checksum over the
 * whole object, which the copy will have too, or by the ETag, which is the same when the parts are. With KMS no ETag
 * says anything of the bytes.
 */
export function isProvableInParts({ size, kept, firstPartBytes }: SourceTraits, etag: string): boolean {
  if (kept.ChecksumType === "FULL_OBJECT") return true;
  return kept.ServerSideEncryption === undefined && givesSameParts({ size, etag }, firstPartBytes);
}

/** Looks at the source, pinned to its ETag. Throws faults: `gone`, `precondition_failed`, `needs_restore`, … */
export async function readSourceTraits(
  requests: S3Requests,
  source: CopyRequest["source"],
  signal: AbortSignal | undefined,
): Promise<SourceTraits> {
  const pinned = pinnedHead(source);
  const head = await headObject(requests, { ...pinned, ChecksumMode: "ENABLED" }, signal);
  refuseUncopiable(head, source);
  const firstPart =
    partsInEtag(source.etag) === null
      ? null
      : await headObject(requests, { ...pinned, PartNumber: 1 }, signal);
  const tags = await readTags(requests, source, signal);
  return {
    size: head.ContentLength ?? source.size,
    modifiedAt: head.LastModified?.getTime() ?? 0,
    // A store that ignores the part number gives the size of the whole object.
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
  // Sent back they would be signed as UTF-8 and travel as Latin-1. AWS encodes them (RFC 2047), so it has none.
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

/** Only KMS is named: anything else is the target bucket's default, as with `CopyObject`. */
function encryption(head: HeadObjectCommandOutput): Partial<CreateMultipartUploadCommandInput> {
  if (!head.ServerSideEncryption?.startsWith("aws:kms")) return {};
  return {
    ServerSideEncryption: head.ServerSideEncryption,
    SSEKMSKeyId: head.SSEKMSKeyId,
    BucketKeyEnabled: head.BucketKeyEnabled,
  };
}

/** A whole-object checksum of the source's own algorithm lets the copy be compared where the ETags differ. */
function checksum(head: HeadObjectCommandOutput): Partial<CreateMultipartUploadCommandInput> {
  const whole = checksumsOf(head).find(
    ({ algorithm, type }) => type === "FULL_OBJECT" && algorithm.startsWith("CRC"),
  );
  if (whole === undefined) return {};
  return { ChecksumAlgorithm: whole.algorithm as ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" };
}

/** The tags of `source` as it is now; none on a store that knows no tags. Throws faults. */
export async function readTags(
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
    // A store without tags has none to lose.
    if (error instanceof S3Fault && error.kind === "not_implemented") return [];
    throw error;
  }
}

/** Tags as the `x-amz-tagging` header wants them. */
export function tagHeader(tags: readonly Tag[]): string {
  return tags
    .map(({ Key = "", Value = "" }) => `${encodeURIComponent(Key)}=${encodeURIComponent(Value)}`)
    .join("&");
}

/** HEAD that fails with 412 when the object is no longer the version asked for. */
export function pinnedHead(source: CopyRequest["source"]): HeadObjectCommandInput {
  return { Bucket: source.bucket, Key: source.key, IfMatch: quotedEtag(source.etag) };
}
