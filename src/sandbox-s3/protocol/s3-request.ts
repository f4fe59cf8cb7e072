/** This file says what an operation of the sandbox store is given, and the names operations have. */

import type { IncomingHttpHeaders } from "node:http";
import type { DeletionList } from "./deletion-list.ts";

/** S3's own names of the operations; `Unknown` is anything else that was sent. */
export type S3Operation =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CopyObject"
  | "CreateBucket"
  | "CreateMultipartUpload"
  | "DeleteBucket"
  | "DeleteObject"
  | "DeleteObjectTagging"
  | "DeleteObjects"
  | "GetBucketEncryption"
  | "GetBucketLocation"
  | "GetBucketVersioning"
  | "GetObject"
  | "GetObjectAcl"
  | "GetObjectAttributes"
  | "GetObjectTagging"
  | "HeadBucket"
  | "HeadObject"
  | "ListBuckets"
  | "ListMultipartUploads"
  | "ListObjectVersions"
  | "ListObjects"
  | "ListObjectsV2"
  | "ListParts"
  | "PutBucketVersioning"
  | "PutObject"
  | "PutObjectTagging"
  | "UploadPart"
  | "UploadPartCopy"
  | "Unknown";

/** Where a request goes, read from its first line and host. */
export interface RequestTarget {
  readonly method: string;
  readonly operation: S3Operation;
  /** Empty for ListBuckets. */
  readonly bucket: string;
  /** Empty for operations on buckets. */
  readonly key: string;
  /** The path as sent, still percent-encoded. */
  readonly rawPath: string;
  /** The query as sent, without `?`. */
  readonly rawQuery: string;
  readonly query: ReadonlyMap<string, string>;
}

/** A received request with its body. */
export interface S3Request {
  readonly target: RequestTarget;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** DeleteObjects only: what the body asks for. */
  readonly deletion: DeletionList | undefined;
  /** DeleteObjects only: errors that fault rules put in place of some keys' deletion. */
  readonly keyErrors: ReadonlyMap<string, KeyError> | undefined;
}

/** An error for one key of a bulk delete. */
export interface KeyError {
  readonly code: string;
  readonly message: string;
  /** The answer has no word of the key: what became of it all the same. */
  readonly unsaid?: "deleted" | "kept";
}

/** The header's value, if it was sent (once). */
export function header(request: Pick<S3Request, "headers">, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}
