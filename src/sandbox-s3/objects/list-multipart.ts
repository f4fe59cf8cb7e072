/** This file is ListParts and ListMultipartUploads. */

import { OWNER_XML } from "../buckets/bucket-operations.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import { toByteOrder } from "../protocol/byte-order.ts";
import { readListingParameters } from "../protocol/listing-parameters.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { findUpload } from "./multipart-operations.ts";
import type { MultipartUpload } from "./multipart-uploads.ts";

/** Lists the parts of an open upload. */
export function listParts(state: StoreState, request: S3Request): Answer {
  const upload = findUpload(state, request);
  const parameters = readListingParameters(request, "max-parts");
  const marker = Number(request.target.query.get("part-number-marker") ?? 0);
  const waiting = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number);
  const page = waiting.slice(0, parameters.maxItems);
  const parts = page.map(
    (part) =>
      `<Part>${element("PartNumber", part.number)}${element("LastModified", state.clock.isoDate(part.lastModifiedMs))}${element("ETag", `"${part.etag}"`)}${element("Size", part.body.size)}</Part>`,
  );
  const content =
    element("Bucket", upload.plan.bucket) +
    parameters.nameElement("Key", upload.plan.key) +
    parameters.encodingElement +
    element("UploadId", upload.uploadId) +
    element("StorageClass", upload.plan.storageClass) +
    element("PartNumberMarker", marker) +
    element("NextPartNumberMarker", page.at(-1)?.number ?? 0) +
    element("MaxParts", parameters.maxItems) +
    element("IsTruncated", String(page.length < waiting.length)) +
    OWNER_XML +
    parts.join("");
  return xmlAnswer("ListPartsResult", content);
}

/** Lists the open uploads of a bucket; `delimiter` is not supported. */
export function listMultipartUploads(state: StoreState, request: S3Request): Answer {
  const { bucket, query } = request.target;
  state.bucket(bucket);
  const parameters = readListingParameters(request, "max-uploads");
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("upload-id-marker") ?? "";
  const matching = state.uploads
    .inBucket(bucket)
    .filter((upload) => upload.plan.key.startsWith(parameters.prefix));
  const waiting = uploadsAfter(matching, keyMarker, idMarker);
  const page = waiting.slice(0, parameters.maxItems);
  const isTruncated = page.length < waiting.length;
  const last = isTruncated ? page.at(-1) : undefined;
  const uploads = page.map(
    (upload) =>
      `<Upload>${parameters.nameElement("Key", upload.plan.key)}${element("UploadId", upload.uploadId)}<Initiator>${element("ID", upload.plan.initiator)}</Initiator>${OWNER_XML}${element("StorageClass", upload.plan.storageClass)}${element("Initiated", state.clock.isoDate(upload.initiatedMs))}</Upload>`,
  );
  const content =
    element("Bucket", bucket) +
    parameters.nameElement("KeyMarker", keyMarker) +
    element("UploadIdMarker", idMarker) +
    parameters.nameElement("NextKeyMarker", last?.plan.key) +
    element("NextUploadIdMarker", last?.uploadId) +
    parameters.nameElement("Prefix", parameters.prefix) +
    parameters.encodingElement +
    element("MaxUploads", parameters.maxItems) +
    element("IsTruncated", String(isTruncated)) +
    uploads.join("");
  return xmlAnswer("ListMultipartUploadsResult", content);
}

function uploadsAfter(uploads: MultipartUpload[], keyMarker: string, idMarker: string): MultipartUpload[] {
  if (keyMarker === "") return uploads;
  const marked = uploads.findIndex((upload) => upload.plan.key === keyMarker && upload.uploadId === idMarker);
  if (marked >= 0) return uploads.slice(marked + 1);
  const ordered = toByteOrder(keyMarker);
  return uploads.filter((upload) => toByteOrder(upload.plan.key) > ordered);
}
