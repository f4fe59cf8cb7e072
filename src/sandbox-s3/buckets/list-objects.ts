/** ListObjectsV2 and its predecessor ListObjects. */

import type { StoredObject, StoredVersion } from "../objects/stored-object.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import { type ListingParameters, readListingParameters } from "../protocol/listing-parameters.ts";
import { s3Error } from "../protocol/s3-error.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { type ListedKey, type WalkPage, walkKeys } from "./listing-walk.ts";
import type { StoreClock } from "./store-clock.ts";
import type { StoreState } from "./store-state.ts";

const TOKEN_MARK = "1:";

/** Lists current objects, a page at a time, by continuation token. */
export function listObjectsV2(state: StoreState, request: S3Request): Answer {
  const { query } = request.target;
  const parameters = readListingParameters(request, "max-keys");
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const page = walkPage(
    state,
    request,
    parameters,
    token === undefined ? (startAfter ?? "") : readToken(token),
  );
  const last = page.items.at(-1);
  const nextToken = page.isTruncated && last !== undefined ? writeToken(last.key) : undefined;
  const head =
    parameters.nameElement("StartAfter", startAfter) +
    element("ContinuationToken", token) +
    element("NextContinuationToken", nextToken) +
    element("KeyCount", page.items.length);
  return pageAnswer(state, request, parameters, head, page);
}

/** Lists current objects, a page at a time, by marker: the last key of a page is the marker of the next. */
export function listObjects(state: StoreState, request: S3Request): Answer {
  const parameters = readListingParameters(request, "max-keys");
  const marker = request.target.query.get("marker") ?? "";
  const page = walkPage(state, request, parameters, marker);
  return pageAnswer(state, request, parameters, parameters.nameElement("Marker", marker), page);
}

function walkPage(
  state: StoreState,
  request: S3Request,
  { prefix, maxItems }: ListingParameters,
  after: string,
): WalkPage<StoredObject> {
  return walkKeys(state.bucket(request.target.bucket).index, { prefix, after, maxItems }, isObject);
}

function pageAnswer(
  state: StoreState,
  request: S3Request,
  parameters: ListingParameters,
  head: string,
  page: WalkPage<StoredObject>,
): Answer {
  let content =
    element("Name", request.target.bucket) +
    parameters.nameElement("Prefix", parameters.prefix) +
    head +
    element("MaxKeys", parameters.maxItems) +
    parameters.encodingElement +
    element("IsTruncated", String(page.isTruncated));
  for (const item of page.items) content += contentsElement(item, parameters, state.clock);
  return xmlAnswer("ListBucketResult", content);
}

function contentsElement(
  { key, version }: ListedKey<StoredObject>,
  parameters: ListingParameters,
  clock: StoreClock,
): string {
  const { etag, checksum, body, storageClass } = version.contents;
  const checksumType = checksum.composite === undefined ? "FULL_OBJECT" : "COMPOSITE";
  return `<Contents>${parameters.nameElement("Key", key)}<LastModified>${clock.isoDate(version.lastModifiedMs)}</LastModified><ETag>&quot;${etag}&quot;</ETag><ChecksumAlgorithm>${checksum.algorithm.toUpperCase()}</ChecksumAlgorithm><ChecksumType>${checksumType}</ChecksumType><Size>${body.size}</Size><StorageClass>${storageClass}</StorageClass></Contents>`;
}

function isObject(version: StoredVersion): version is StoredObject {
  return !version.isDeleteMarker;
}

function writeToken(key: string): string {
  return Buffer.from(TOKEN_MARK + key).toString("base64");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (text.startsWith(TOKEN_MARK)) return text.slice(TOKEN_MARK.length);
  throw s3Error("InvalidArgument", "The continuation token provided is incorrect");
}
