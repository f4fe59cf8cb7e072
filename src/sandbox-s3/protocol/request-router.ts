/** The S3 operation of an HTTP request: by method, by bucket and key, and by parameters. */

import type { IncomingHttpHeaders } from "node:http";
import { parseQuery } from "./query-string.ts";
import { errorDetails, type S3ErrorDetails } from "./s3-error.ts";
import type { RequestTarget, S3Operation } from "./s3-request.ts";

/** A routed request: `error` says why it cannot be served, once its signature proved right. */
export interface RoutedRequest extends RequestTarget {
  readonly error: S3ErrorDetails | undefined;
}

type Route = S3Operation | "NotImplemented" | "MethodNotAllowed";
type Query = ReadonlyMap<string, string>;

/** Subresources S3 has and the sandbox store has not. */
const UNSUPPORTED = new Set(
  "abac accelerate analytics annotation attributes cors intelligent-tiering inventory legal-hold lifecycle logging metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select torrent website".split(
    " ",
  ),
);

/** Headers that would change what an operation does. */
const UNSUPPORTED_HEADERS = [
  "if-modified-since",
  "if-unmodified-since",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-unmodified-since",
  "x-amz-if-match-last-modified-time",
  "x-amz-if-match-size",
  "x-amz-server-side-encryption-customer-algorithm",
];

/** Routes a request; never throws. */
export function routeRequest(method: string, url: string, headers: IncomingHttpHeaders): RoutedRequest {
  const mark = url.indexOf("?");
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  const raw = { method, rawPath, rawQuery };
  try {
    const { bucket, key } = splitPath(rawPath);
    const query = parseQuery(rawQuery);
    const route = chooseRoute(method, bucket, key, query, headers);
    if (route !== "NotImplemented" && route !== "MethodNotAllowed") {
      return { ...raw, operation: route, bucket, key, query, error: undefined };
    }
    return { ...raw, operation: "Unknown", bucket, key, query, error: errorDetails(route) };
  } catch {
    // Only percent-decoding throws: the path or query is not UTF-8.
    const error = errorDetails("InvalidURI", undefined, { fields: { URI: rawPath } });
    return { ...raw, operation: "Unknown", bucket: "", key: "", query: new Map(), error };
  }
}

/** Only paths name buckets; host names do not. */
function splitPath(rawPath: string): { bucket: string; key: string } {
  const slash = rawPath.indexOf("/", 1);
  if (slash < 0) return { bucket: decodeURIComponent(rawPath.slice(1)), key: "" };
  return {
    bucket: decodeURIComponent(rawPath.slice(1, slash)),
    key: decodeURIComponent(rawPath.slice(slash + 1)),
  };
}

function chooseRoute(
  method: string,
  bucket: string,
  key: string,
  query: Query,
  headers: IncomingHttpHeaders,
): Route {
  if (bucket === "") return method === "GET" ? "ListBuckets" : "MethodNotAllowed";
  for (const name of query.keys()) if (UNSUPPORTED.has(name)) return "NotImplemented";
  if (UNSUPPORTED_HEADERS.some((name) => headers[name] !== undefined)) return "NotImplemented";
  return key === "" ? bucketRoute(method, query) : objectRoute(method, query, headers);
}

function bucketRoute(method: string, query: Query): Route {
  switch (method) {
    case "GET":
      return query.has("acl") ? "NotImplemented" : bucketRead(query);
    case "HEAD":
      return "HeadBucket";
    case "PUT":
      if (query.has("tagging") || query.has("encryption") || query.has("acl")) return "NotImplemented";
      return query.has("versioning") ? "PutBucketVersioning" : "CreateBucket";
    case "POST":
      return query.has("delete") ? "DeleteObjects" : "NotImplemented";
    default:
      return "MethodNotAllowed";
  }
}

function bucketRead(query: Query): Route {
  if (query.get("list-type") === "2") return "ListObjectsV2";
  if (query.has("versions")) return "ListObjectVersions";
  if (query.has("uploads")) return "ListMultipartUploads";
  if (query.has("encryption")) return "GetBucketEncryption";
  if (query.has("location")) return "GetBucketLocation";
  if (query.has("versioning")) return "GetBucketVersioning";
  return query.has("tagging") ? "NotImplemented" : "ListObjects";
}

function objectRoute(method: string, query: Query, headers: IncomingHttpHeaders): Route {
  switch (method) {
    case "PUT":
      return objectWrite(query, headers);
    case "GET":
      return objectRead(query);
    case "HEAD":
      return "HeadObject";
    case "DELETE":
      if (query.has("uploadId")) return "AbortMultipartUpload";
      return query.has("tagging") ? "NotImplemented" : "DeleteObject";
    case "POST":
      if (query.has("uploads")) return "CreateMultipartUpload";
      return query.has("uploadId") ? "CompleteMultipartUpload" : "MethodNotAllowed";
    default:
      return "MethodNotAllowed";
  }
}

function objectWrite(query: Query, headers: IncomingHttpHeaders): Route {
  const isCopy = headers["x-amz-copy-source"] !== undefined;
  if (query.has("uploadId")) return isCopy ? "UploadPartCopy" : "UploadPart";
  if (query.has("acl")) return "NotImplemented";
  if (query.has("tagging")) return "PutObjectTagging";
  return isCopy ? "CopyObject" : "PutObject";
}

function objectRead(query: Query): Route {
  if (query.has("uploadId")) return "NotImplemented";
  if (query.has("acl")) return "GetObjectAcl";
  return query.has("tagging") ? "GetObjectTagging" : "GetObject";
}
