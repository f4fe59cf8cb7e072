/** Reads the attributes of an object from request headers and writes them to response headers. */

import type { IncomingHttpHeaders } from "node:http";
import type { Bucket } from "../buckets/bucket.ts";
import type { StoreClock } from "../buckets/store-clock.ts";
import {
  type CannedAcl,
  checksumOf,
  isCannedAcl,
  type ObjectAttributes,
  type ObjectContents,
  type ObjectEncryption,
  type ObjectTag,
  type RestoreState,
  type StoredObject,
} from "../objects/stored-object.ts";
import { pushHeader } from "./answer.ts";
import { s3Error } from "./s3-error.ts";

/** All of an object but its bytes and what is computed from them. */
export type WrittenContents = Pick<
  ObjectContents,
  "attributes" | "storageClass" | "encryption" | "tags" | "websiteRedirectLocation" | "acl"
>;

const META = "x-amz-meta-";
const MAX_METADATA_BYTES = 2048;
const STORAGE_CLASSES = new Set(
  "STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER DEEP_ARCHIVE GLACIER_IR".split(
    " ",
  ),
);
const BEYOND_LATIN_1 = /[\u0100-\uffff]/;
/** Header, attribute. */
const CONTENT_HEADERS = [
  ["Cache-Control", "cacheControl"],
  ["Content-Disposition", "contentDisposition"],
  ["Content-Encoding", "contentEncoding"],
  ["Content-Language", "contentLanguage"],
  ["Expires", "expires"],
] as const;

/** The content headers and user metadata of a request that writes an object. */
export function readAttributes(headers: IncomingHttpHeaders): ObjectAttributes {
  const attributes: { -readonly [name in keyof ObjectAttributes]: ObjectAttributes[name] } = {
    contentType: headers["content-type"] ?? "binary/octet-stream",
    metadata: readMetadata(headers),
  };
  for (const [name, field] of CONTENT_HEADERS) {
    const value = headers[name.toLowerCase()];
    if (typeof value === "string") attributes[field] = value;
  }
  return attributes;
}

function readMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const name in headers) {
    if (!name.startsWith(META)) continue;
    const value = headers[name];
    const text = Array.isArray(value) ? value.join(",") : (value ?? "");
    metadata[name.slice(META.length)] = text;
    bytes += name.length - META.length + text.length;
  }
  if (bytes > MAX_METADATA_BYTES) throw s3Error("MetadataTooLarge");
  return metadata;
}

/** The storage class a request asks for; STANDARD if it does not say. */
export function readStorageClass(headers: IncomingHttpHeaders): string {
  const name = headers["x-amz-storage-class"];
  if (name === undefined) return "STANDARD";
  if (typeof name !== "string" || !STORAGE_CLASSES.has(name)) throw s3Error("InvalidStorageClass");
  return name;
}

/** The encryption a request asks for; the bucket's default if it does not say. */
export function readEncryption(headers: IncomingHttpHeaders, bucket: Bucket): ObjectEncryption {
  const algorithm = headers["x-amz-server-side-encryption"];
  if (typeof algorithm !== "string") return bucket.encryption;
  const kmsKeyId = headers["x-amz-server-side-encryption-aws-kms-key-id"];
  const bucketKey = headers["x-amz-server-side-encryption-bucket-key-enabled"];
  return {
    algorithm,
    ...(typeof kmsKeyId === "string" && { kmsKeyId }),
    ...(bucketKey === "true" && { bucketKey: true }),
  };
}

/** What the headers of PutObject and CreateMultipartUpload say about the object to be written. */
export function readWrittenContents(headers: IncomingHttpHeaders, bucket: Bucket): WrittenContents {
  return {
    attributes: readAttributes(headers),
    storageClass: readStorageClass(headers),
    encryption: readEncryption(headers, bucket),
    tags: readTagHeader(headers),
    websiteRedirectLocation: headers["x-amz-website-redirect-location"] as string | undefined,
    acl: readCannedAcl(headers),
  };
}

/** The list a request that writes an object asks for; undefined, which is private, where it asks for none. */
export function readCannedAcl(headers: IncomingHttpHeaders): CannedAcl | undefined {
  const name = headers["x-amz-acl"];
  if (name === undefined) return undefined;
  if (typeof name !== "string" || !isCannedAcl(name)) throw s3Error("InvalidArgument", "Unknown canned ACL");
  return name === "private" ? undefined : name;
}

/** The tags in an `x-amz-tagging` header (`a=1&b=2`, percent-encoded). */
export function readTagHeader(headers: IncomingHttpHeaders): readonly ObjectTag[] {
  const text = headers["x-amz-tagging"];
  if (typeof text !== "string" || text === "") return [];
  const tags = [...new URLSearchParams(text)].map(([key, value]) => ({ key, value }));
  return checkTags(tags);
}

/** S3's rules for a set of tags: at most 10, keys unique, 128 and 256 characters. */
export function checkTags(tags: readonly ObjectTag[]): readonly ObjectTag[] {
  if (tags.length > 10) throw s3Error("InvalidTag", "Object tags cannot be greater than 10");
  if (new Set(tags.map((tag) => tag.key)).size !== tags.length) {
    throw s3Error("InvalidTag", "Cannot provide multiple Tags with the same key");
  }
  const isFine = (tag: ObjectTag) => tag.key !== "" && tag.key.length <= 128 && tag.value.length <= 256;
  if (!tags.every(isFine)) throw s3Error("InvalidTag");
  return tags;
}

/** The header answers to writes carry: encryption. */
export function pushEncryption(headers: string[], encryption: ObjectEncryption): void {
  headers.push("x-amz-server-side-encryption", encryption.algorithm);
  pushHeader(headers, "x-amz-server-side-encryption-aws-kms-key-id", encryption.kmsKeyId);
  if (encryption.bucketKey) headers.push("x-amz-server-side-encryption-bucket-key-enabled", "true");
}

/** Adds the checksum headers of an object. */
export function pushChecksum(headers: string[], object: StoredObject): void {
  const { value, type } = checksumOf(object.contents);
  headers.push(`x-amz-checksum-${object.contents.checksum.algorithm}`, value, "x-amz-checksum-type", type);
}

/** The headers that describe an object in answers to GET and HEAD, without its length and checksum. */
export function describeObject(object: StoredObject, bucket: Bucket, clock: StoreClock): string[] {
  const { contents } = object;
  const headers = [
    "Last-Modified",
    clock.httpDate(object.lastModifiedMs),
    "ETag",
    `"${contents.etag}"`,
    "Accept-Ranges",
    "bytes",
    "Content-Type",
    contents.attributes.contentType,
  ];
  for (const [name, field] of CONTENT_HEADERS) pushHeader(headers, name, contents.attributes[field]);
  for (const name in contents.attributes.metadata) {
    headers.push(META + name, headerText(contents.attributes.metadata[name] as string));
  }
  pushEncryption(headers, contents.encryption);
  pushHeader(headers, "x-amz-version-id", bucket.shownVersionId(object));
  // S3 does not name the class STANDARD.
  if (contents.storageClass !== "STANDARD") headers.push("x-amz-storage-class", contents.storageClass);
  pushHeader(headers, "x-amz-website-redirect-location", contents.websiteRedirectLocation);
  pushHeader(headers, "x-amz-archive-status", contents.archiveStatus);
  pushHeader(headers, "x-amz-restore", restoreHeader(contents.restore, clock));
  if (object.tags.length > 0) headers.push("x-amz-tagging-count", String(object.tags.length));
  return headers;
}

/** Metadata that no header can hold is told in RFC 2047's form, as S3 does. */
function headerText(text: string): string {
  return BEYOND_LATIN_1.test(text) ? `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=` : text;
}

function restoreHeader(restore: RestoreState | undefined, clock: StoreClock): string | undefined {
  if (restore === undefined) return undefined;
  if (restore.ongoing || restore.expiry === undefined) return `ongoing-request="${restore.ongoing}"`;
  return `ongoing-request="false", expiry-date="${clock.httpDate(restore.expiry.getTime())}"`;
}
