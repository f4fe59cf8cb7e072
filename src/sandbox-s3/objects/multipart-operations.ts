/** CreateMultipartUpload, UploadPart, UploadPartCopy and AbortMultipartUpload. */

import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, emptyAnswer, pushHeader, xmlAnswer } from "../protocol/answer.ts";
import { type ChecksumAlgorithm, checksumElement } from "../protocol/checksums.ts";
import { pushEncryption, readWrittenContents } from "../protocol/object-headers.ts";
import { requestedAlgorithm, verifyDigests } from "../protocol/payload-digests.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { header, type S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { checkCopySize, shownSourceVersion } from "./copy-object.ts";
import { copiedRange, findCopySource } from "./copy-source.ts";
import type { MultipartUpload } from "./multipart-uploads.ts";
import { BytesBody, type ObjectBody } from "./object-body.ts";

const MAX_PART_NUMBER = 10_000;

/** Opens an upload; it keeps the headers that the finished object will have. */
export function createMultipartUpload(state: StoreState, request: S3Request): Answer {
  const { target, headers } = request;
  const bucket = state.bucket(target.bucket);
  const checksumAlgorithm = requestedAlgorithm(headers);
  const checksumType = readChecksumType(request, checksumAlgorithm ?? "crc64nvme");
  const upload = state.uploads.create(
    {
      initiator: initiatorOf(request),
      bucket: target.bucket,
      key: target.key,
      contents: readWrittenContents(headers, bucket),
      checksumAlgorithm,
      checksumType,
    },
    state.clock.nowMs(),
  );
  const answer: string[] = [];
  pushEncryption(answer, upload.plan.contents.encryption);
  if (checksumAlgorithm !== undefined) {
    answer.push(
      "x-amz-checksum-algorithm",
      checksumAlgorithm.toUpperCase(),
      "x-amz-checksum-type",
      checksumType,
    );
  }
  const content =
    element("Bucket", target.bucket) + element("Key", target.key) + element("UploadId", upload.uploadId);
  return xmlAnswer("InitiateMultipartUploadResult", content, answer);
}

/** Stores one part from the request's body. */
export function uploadPart(state: StoreState, request: S3Request): Answer {
  const upload = findUpload(state, request);
  const body = new BytesBody(request.body);
  const algorithm = verifyDigests(request.headers, body) ?? upload.plan.checksumAlgorithm;
  const etag = addPart(state, request, upload, body);
  const headers = ["ETag", `"${etag}"`];
  if (algorithm !== undefined) headers.push(`x-amz-checksum-${algorithm}`, body.checksum(algorithm));
  pushEncryption(headers, upload.plan.contents.encryption);
  return emptyAnswer(200, headers);
}

/** Stores one part from a range of another object. */
export function uploadPartCopy(state: StoreState, request: S3Request): Answer {
  const upload = findUpload(state, request);
  const { source, object } = findCopySource(state, request);
  const body = copiedRange(request, object.contents.body);
  checkCopySize(body);
  const etag = addPart(state, request, upload, body);
  const headers: string[] = [];
  pushEncryption(headers, upload.plan.contents.encryption);
  pushHeader(headers, "x-amz-copy-source-version-id", shownSourceVersion(state, source, object));
  const algorithm = upload.plan.checksumAlgorithm;
  const checksum =
    algorithm === undefined ? "" : element(checksumElement(algorithm), body.checksum(algorithm));
  const content = `<LastModified>${state.clock.isoDate(state.clock.nowMs())}</LastModified>${element("ETag", `"${etag}"`)}${checksum}`;
  return xmlAnswer("CopyPartResult", content, headers);
}

/** Forgets an upload and its parts. */
export function abortMultipartUpload(state: StoreState, request: S3Request): Answer {
  state.uploads.close(findUpload(state, request));
  return emptyAnswer(204);
}

/** The upload a request names; throws NoSuchBucket or NoSuchUpload. */
export function findUpload(state: StoreState, request: S3Request): MultipartUpload {
  const { bucket, key, query } = request.target;
  state.bucket(bucket);
  return state.uploads.find(bucket, key, query.get("uploadId") ?? "");
}

function addPart(state: StoreState, request: S3Request, upload: MultipartUpload, body: ObjectBody): string {
  const number = Number(request.target.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PART_NUMBER) {
    throw s3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  const etag = body.md5();
  const nowMs = state.clock.nowMs();
  upload.parts.set(number, { number, body, etag, lastModifiedMs: nowMs - (nowMs % 1000) });
  return etag;
}

/** Every access key is a user of its own here. */
function initiatorOf(request: S3Request): string {
  const [, accessKeyId = "anonymous"] =
    /Credential=([^/]+)\//.exec(header(request, "authorization") ?? "") ?? [];
  return `arn:aws:iam::000000000000:user/${accessKeyId}`;
}

/** S3 combines parts into a CRC of the whole but never into a SHA, and keeps CRC-64/NVME in no other way. */
function readChecksumType(request: S3Request, algorithm: ChecksumAlgorithm): "FULL_OBJECT" | "COMPOSITE" {
  const type =
    header(request, "x-amz-checksum-type") ?? (algorithm === "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE");
  if (type !== "FULL_OBJECT" && type !== "COMPOSITE") {
    throw s3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  }
  const cannot = type === "FULL_OBJECT" ? algorithm.startsWith("sha") : algorithm === "crc64nvme";
  if (!cannot) return type;
  const message = `The ${type} checksum type cannot be used with the ${algorithm.toUpperCase()} checksum algorithm.`;
  throw s3Error("InvalidRequest", message);
}
