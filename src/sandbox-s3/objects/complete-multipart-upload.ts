/** CompleteMultipartUpload. */

import { createHash, randomBytes } from "node:crypto";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, pushHeader, xmlAnswer } from "../protocol/answer.ts";
import { type ChecksumAlgorithm, checksumElement, startChecksum } from "../protocol/checksums.ts";
import { checkWriteConditions } from "../protocol/conditions.ts";
import { pushEncryption } from "../protocol/object-headers.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { header, type S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { childText, readXml, type XmlNode } from "../protocol/xml-reader.ts";
import { findUpload } from "./multipart-operations.ts";
import type { MultipartUpload, UploadedPart } from "./multipart-uploads.ts";
import { joinBodies } from "./object-body.ts";
import { checksumOf, DEFAULT_CHECKSUM, type StoredChecksum } from "./stored-object.ts";

/** Smallest size of every part but the last. */
const MIN_PART_BYTES = 5 * 2 ** 20;

/** Makes the object from the parts that the request lists. */
export function completeMultipartUpload(state: StoreState, request: S3Request): Answer {
  const { target } = request;
  const upload = findUpload(state, request);
  const parts = readPartList(request.body, upload);
  const bucket = state.bucket(target.bucket);
  if (state.keepsConditions) checkWriteConditions(request.headers, bucket.current(target.key));
  checkSizes(parts);
  const body = joinBodies(parts.map((part) => part.body));
  checkObjectSize(header(request, "x-amz-mp-object-size"), body.size);

  const { plan } = upload;
  const object = bucket.put(
    target.key,
    {
      ...plan.contents,
      body,
      etag: `${plan.contents.encryption.algorithm.startsWith("aws:kms") ? randomBytes(16).toString("hex") : combineEtags(parts)}-${parts.length}`,
      checksum: combineChecksums(upload, parts),
      parts: parts.map((part) => ({ number: part.number, size: part.body.size })),
    },
    state.clock.nowMs(),
  );
  state.uploads.close(upload);

  const headers: string[] = [];
  pushEncryption(headers, plan.contents.encryption);
  pushHeader(headers, "x-amz-version-id", bucket.shownVersionId(object));
  const { value, type } = checksumOf(object.contents);
  const content =
    element("Location", `http://${request.headers.host ?? ""}${target.rawPath}`) +
    element("Bucket", target.bucket) +
    element("Key", target.key) +
    element("ETag", `"${object.contents.etag}"`) +
    element(checksumElement(object.contents.checksum.algorithm), value) +
    element("ChecksumType", type);
  return xmlAnswer("CompleteMultipartUploadResult", content, headers);
}

/** `md5(md5 of each part)`, to which S3 appends the number of parts. */
export function combineEtags(parts: readonly { readonly etag: string }[]): string {
  const combined = createHash("md5");
  for (const part of parts) combined.update(part.etag, "hex");
  return combined.digest("hex");
}

function readPartList(body: Buffer, upload: MultipartUpload): UploadedPart[] {
  const root = readXml(body);
  const nodes = root.children.filter((child) => child.name === "Part");
  if (root.name !== "CompleteMultipartUpload" || nodes.length === 0) throw s3Error("MalformedXML");
  const parts = nodes.map((node) => readPart(node, upload));
  for (const [at, part] of parts.entries()) {
    if (at > 0 && part.number <= (parts[at - 1]?.number ?? 0)) throw s3Error("InvalidPartOrder");
  }
  return parts;
}

function readPart(node: XmlNode, upload: MultipartUpload): UploadedPart {
  const number = Number(childText(node, "PartNumber"));
  const part = upload.parts.get(number);
  const etag = childText(node, "ETag")
    ?.trim()
    .replace(/^"(.*)"$/, "$1");
  if (part === undefined || part.etag !== etag) {
    throw s3Error("InvalidPart", undefined, {
      fields: { UploadId: upload.uploadId, PartNumber: String(number), ETag: etag ?? "" },
    });
  }
  checkPartChecksum(node, part, upload);
  return part;
}

/** An upload begun with a composite checksum must list each part's checksum when it is completed. */
function checkPartChecksum(node: XmlNode, part: UploadedPart, upload: MultipartUpload): void {
  const { checksumAlgorithm, checksumType } = upload.plan;
  if (checksumAlgorithm === undefined) return;
  const listed = childText(node, checksumElement(checksumAlgorithm));
  if (listed === undefined) {
    if (checksumType === "FULL_OBJECT") return;
    const message = `The upload was created using a ${checksumAlgorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`;
    throw s3Error("InvalidRequest", message);
  }
  if (listed !== part.body.checksum(checksumAlgorithm)) throw s3Error("InvalidPart");
}

function checkSizes(parts: readonly UploadedPart[]): void {
  for (const part of parts.slice(0, -1)) {
    if (part.body.size >= MIN_PART_BYTES) continue;
    throw s3Error("EntityTooSmall", undefined, {
      fields: {
        ProposedSize: String(part.body.size),
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(part.number),
        ETag: part.etag,
      },
    });
  }
}

function checkObjectSize(expected: string | undefined, actual: number): void {
  if (expected === undefined || Number(expected) === actual) return;
  throw s3Error(
    "InvalidRequest",
    "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
  );
}

function combineChecksums(upload: MultipartUpload, parts: readonly UploadedPart[]): StoredChecksum {
  const { checksumAlgorithm, checksumType } = upload.plan;
  if (checksumAlgorithm === undefined) return DEFAULT_CHECKSUM;
  if (checksumType === "FULL_OBJECT") return { algorithm: checksumAlgorithm };
  return {
    algorithm: checksumAlgorithm,
    composite: `${compositeChecksum(checksumAlgorithm, parts)}-${parts.length}`,
  };
}

function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly UploadedPart[]): string {
  const running = startChecksum(algorithm);
  for (const part of parts) running.update(Buffer.from(part.body.checksum(algorithm), "base64"));
  return running.digest().toString("base64");
}
