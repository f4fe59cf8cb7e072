/** What an operation of the sandbox store is given, and the names operations have. */

import type { IncomingHttpHeaders } from "node:http";
import type { DeletionList } from "./deletion-list.ts";

/** S3's own names of the operations; `Unknown` is anything else that was sent. */
export type S3Operation =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CopyObject"
  | "CreateBucket"
  | "CreateMultipartUpload"
  | "DeleteObject"
  | "DeleteObjects"
  | "GetBucketEncryption"
  | "GetBucketLocation"
  | "GetBucketVersioning"
  | "GetObject"
  | "GetObjectAcl"
  | "GetObjectTagging"
  | "HeadBucket"
  | "HeadObject"
  | "ListBuckets"
  | "ListMultipartUploads"
  | "ListObjectVersions"
  | "ListObjects"
  | "ListObjectsV2"
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

/** What `x-amz-copy-source` names. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** A received request with its body. */
export interface S3Request {
  readonly target: RequestTarget;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** What the body of DeleteObjects asks for; nothing for other operations. */
  readonly deletion: DeletionList;
  /** What a copy reads. */
  readonly copySource: CopySource | undefined;
  /** DeleteObjects only: errors that fault rules put in place of some keys' deletion. */
  readonly keyErrors: ReadonlyMap<string, KeyError> | undefined;
}

/** An error for one key of a bulk delete. */
export interface KeyError {
  readonly code: string;
  readonly message: string;
  /** The answer leaves the key out: what became of it all the same. */
  readonly omitted?: "deleted" | "kept";
}

/** The header's value, if it was sent (once). */
export function header(request: Pick<S3Request, "headers">, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}
