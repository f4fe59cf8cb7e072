/** CopyObject, the operation the sandbox store must answer fastest. */

import type { Bucket } from "../buckets/bucket.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, pushHeader, xmlAnswer } from "../protocol/answer.ts";
import { checksumElement } from "../protocol/checksums.ts";
import { checkWriteConditions } from "../protocol/conditions.ts";
import {
  pushEncryption,
  readAttributes,
  readCannedAcl,
  readEncryption,
  readStorageClass,
  readTagHeader,
} from "../protocol/object-headers.ts";
import { requestedAlgorithm } from "../protocol/payload-digests.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { type CopySource, header, type S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { findCopySource } from "./copy-source.ts";
import type { ObjectBody } from "./object-body.ts";
import { singlePartEtag } from "./put-object.ts";
import { checksumOf, type ObjectContents, type StoredObject } from "./stored-object.ts";

/** Largest source of one CopyObject or UploadPartCopy. */
const MAX_COPY_BYTES = 5 * 2 ** 30;

/** Copies an object within the store; the bytes are shared, not copied. */
export function copyObject(state: StoreState, request: S3Request): Answer {
  const { target, headers } = request;
  const bucket = state.bucket(target.bucket);
  const { source, object } = findCopySource(state, request);
  checkCopySize(object.contents.body);
  if (state.keepsConditions) checkWriteConditions(headers, bucket.current(target.key));
  if (source.bucket === target.bucket && source.key === target.key) refuseUnchangedCopy(source, request);

  const copied = bucket.put(target.key, copiedContents(request, object, bucket), state.clock.nowMs());
  return copyAnswer(state, bucket, copied, shownSourceVersion(state, source, object));
}

/** Throws InvalidRequest if the source is too large for one call. */
export function checkCopySize({ size }: ObjectBody): void {
  if (size <= MAX_COPY_BYTES) return;
  throw s3Error(
    "InvalidRequest",
    `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_COPY_BYTES}`,
  );
}

/** The `x-amz-copy-source-version-id` header: only versioned sources have one. */
export function shownSourceVersion(
  state: StoreState,
  source: CopySource,
  object: StoredObject,
): string | undefined {
  return state.bucket(source.bucket).shownVersionId(object);
}

/** A copy onto itself must change something. */
function refuseUnchangedCopy(source: CopySource, request: S3Request): void {
  const { headers } = request;
  const isChanging =
    source.versionId !== undefined ||
    readDirective(request, "x-amz-metadata-directive") === "REPLACE" ||
    headers["x-amz-storage-class"] !== undefined ||
    headers["x-amz-website-redirect-location"] !== undefined ||
    headers["x-amz-server-side-encryption"] !== undefined;
  if (isChanging) return;
  throw s3Error(
    "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

function copiedContents(request: S3Request, object: StoredObject, bucket: Bucket): ObjectContents {
  const { headers } = request;
  const { body, attributes, checksum } = object.contents;
  const encryption = readEncryption(headers, bucket);
  const algorithm = requestedAlgorithm(headers) ?? checksum.algorithm;
  const keepsChecksum = checksum.composite === undefined && checksum.algorithm === algorithm;
  const replacesAttributes = readDirective(request, "x-amz-metadata-directive") === "REPLACE";
  const replacesTags = readDirective(request, "x-amz-tagging-directive") === "REPLACE";
  const copied: ObjectContents = {
    body,
    // Always the plain form: an `…-N` of a multipart source does not survive.
    etag: singlePartEtag(body, encryption),
    attributes: replacesAttributes ? readAttributes(headers) : attributes,
    storageClass: readStorageClass(headers),
    encryption,
    checksum: keepsChecksum ? checksum : { algorithm },
    tags: replacesTags ? readTagHeader(headers) : object.tags,
    websiteRedirectLocation: header(request, "x-amz-website-redirect-location"),
    parts: undefined,
    restore: undefined,
    archiveStatus: undefined,
    acl: readCannedAcl(headers),
  };
  return isSameContents(copied, object.contents) ? object.contents : copied;
}

/** An exact copy shares its contents with the source, which saves a third of the memory of millions of copies. */
function isSameContents(copied: ObjectContents, source: ObjectContents): boolean {
  return (Object.keys(copied) as (keyof ObjectContents)[]).every((name) => copied[name] === source[name]);
}

function readDirective(request: S3Request, name: string): "COPY" | "REPLACE" {
  const value = header(request, name) ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw s3Error("InvalidArgument", `Unknown directive: ${value}`);
}

function copyAnswer(
  state: StoreState,
  bucket: Bucket,
  copied: StoredObject,
  sourceVersionId: string | undefined,
): Answer {
  const { contents } = copied;
  const headers: string[] = [];
  pushEncryption(headers, contents.encryption);
  pushHeader(headers, "x-amz-copy-source-version-id", sourceVersionId);
  pushHeader(headers, "x-amz-version-id", bucket.shownVersionId(copied));
  const { value, type } = checksumOf(contents);
  const content = `<LastModified>${state.clock.isoDate(copied.lastModifiedMs)}</LastModified><ETag>&quot;${contents.etag}&quot;</ETag><ChecksumType>${type}</ChecksumType>${element(checksumElement(contents.checksum.algorithm), value)}`;
  return xmlAnswer("CopyObjectResult", content, headers);
}
