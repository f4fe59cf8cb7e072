/** The multipart uploads that are neither completed nor aborted. */

import { randomBytes } from "node:crypto";
import { toByteOrder } from "../protocol/byte-order.ts";
import type { ChecksumAlgorithm } from "../protocol/checksums.ts";
import type { WrittenContents } from "../protocol/object-headers.ts";
import { s3Error } from "../protocol/s3-error.ts";
import type { ObjectBody } from "./object-body.ts";

/** One uploaded part. */
export interface UploadedPart {
  readonly number: number;
  readonly body: ObjectBody;
  readonly etag: string;
  readonly lastModifiedMs: number;
}

/** What CreateMultipartUpload fixes for the object to come. */
export interface UploadPlan {
  /** Who began it, as AWS names a user. */
  readonly initiator: string;
  readonly bucket: string;
  readonly key: string;
  readonly contents: WrittenContents;
  /** `undefined`: none asked for, S3 keeps a CRC64NVME of the whole object. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: "FULL_OBJECT" | "COMPOSITE";
}

/** An open upload. */
export interface MultipartUpload {
  readonly uploadId: string;
  readonly initiatedMs: number;
  readonly plan: UploadPlan;
  readonly parts: Map<number, UploadedPart>;
}

/** The open uploads of all buckets. */
export class MultipartUploads {
  readonly #uploads = new Map<string, MultipartUpload>();

  create(plan: UploadPlan, nowMs: number): MultipartUpload {
    const uploadId = randomBytes(48).toString("base64url");
    const upload: MultipartUpload = { uploadId, initiatedMs: nowMs, plan, parts: new Map() };
    this.#uploads.set(uploadId, upload);
    return upload;
  }

  /** The upload; throws NoSuchUpload unless it is open for this bucket and key. */
  find(bucket: string, key: string, uploadId: string): MultipartUpload {
    const upload = this.#uploads.get(uploadId);
    if (upload === undefined || upload.plan.bucket !== bucket || upload.plan.key !== key) {
      throw s3Error("NoSuchUpload", undefined, { fields: { UploadId: uploadId } });
    }
    return upload;
  }

  /** Forgets the upload and its parts. */
  close(upload: MultipartUpload): void {
    this.#uploads.delete(upload.uploadId);
  }

  /** The open uploads of a bucket, by key and then by age. */
  inBucket(bucket: string): MultipartUpload[] {
    return [...this.#uploads.values()]
      .filter((upload) => upload.plan.bucket === bucket)
      .map((upload) => ({ upload, ordered: toByteOrder(upload.plan.key) }))
      .sort((a, b) => compare(a.ordered, b.ordered) || a.upload.initiatedMs - b.upload.initiatedMs)
      .map(({ upload }) => upload);
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
