/** This file is ListObjectsV2 and its predecessor ListObjects. */

import type { StoredObject, StoredVersion } from "../objects/stored-object.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import { type ListingParameters, readListingParameters } from "../protocol/listing-parameters.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { header, type S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { OWNER_XML } from "./bucket-operations.ts";
import { type WalkItem, type WalkPage, walkKeys } from "./listing-walk.ts";
import type { StoreClock } from "./store-clock.ts";
import type { StoreState } from "./store-state.ts";

const TOKEN_MARK = "1:";

interface ContentsOptions {
  readonly clock: StoreClock;
  readonly parameters: ListingParameters;
  readonly withOwner: boolean;
  readonly withRestoreStatus: boolean;
}

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
  const nextToken = page.isTruncated && last !== undefined ? writeToken(itemName(last)) : undefined;
  const head =
    element("Name", request.target.bucket) +
    parameters.nameElement("Prefix", parameters.prefix) +
    parameters.nameElement("StartAfter", startAfter) +
    element("ContinuationToken", token) +
    element("NextContinuationToken", nextToken) +
    element("KeyCount", page.items.length) +
    pageElements(parameters, page);
  return xmlAnswer(
    "ListBucketResult",
    head + itemElements(state, request, parameters, page, query.get("fetch-owner") === "true"),
  );
}

/** Lists current objects, a page at a time, by marker. */
export function listObjects(state: StoreState, request: S3Request): Answer {
  const parameters = readListingParameters(request, "max-keys");
  const marker = request.target.query.get("marker") ?? "";
  const page = walkPage(state, request, parameters, marker);
  const last = page.items.at(-1);
  // Without a delimiter the reader takes the last key as the next marker.
  const hasMarker = page.isTruncated && last !== undefined && parameters.delimiter !== "";
  const head =
    element("Name", request.target.bucket) +
    parameters.nameElement("Prefix", parameters.prefix) +
    parameters.nameElement("Marker", marker) +
    parameters.nameElement("NextMarker", hasMarker ? itemName(last) : undefined) +
    pageElements(parameters, page);
  return xmlAnswer("ListBucketResult", head + itemElements(state, request, parameters, page, true));
}

function walkPage(
  state: StoreState,
  request: S3Request,
  parameters: ListingParameters,
  after: string,
): WalkPage {
  const { prefix, delimiter, maxItems } = parameters;
  const { index } = state.bucket(request.target.bucket);
  return walkKeys(index, { prefix, after, delimiter, maxItems }, isObject);
}

function pageElements(parameters: ListingParameters, page: WalkPage): string {
  return (
    element("MaxKeys", parameters.maxItems) +
    parameters.nameElement("Delimiter", parameters.delimiter || undefined) +
    parameters.encodingElement +
    element("IsTruncated", String(page.isTruncated))
  );
}

function itemElements(
  state: StoreState,
  request: S3Request,
  parameters: ListingParameters,
  page: WalkPage,
  withOwner: boolean,
): string {
  const withRestoreStatus = header(request, "x-amz-optional-object-attributes") === "RestoreStatus";
  const options = { clock: state.clock, parameters, withOwner, withRestoreStatus };
  let objects = "";
  let prefixes = "";
  for (const item of page.items) {
    if (item.kind === "key") objects += contentsElement(item.key, item.version as StoredObject, options);
    else prefixes += `<CommonPrefixes>${parameters.nameElement("Prefix", item.prefix)}</CommonPrefixes>`;
  }
  return objects + prefixes;
}

function contentsElement(key: string, object: StoredObject, options: ContentsOptions): string {
  const { contents } = object;
  const checksumType = contents.checksum.composite === undefined ? "FULL_OBJECT" : "COMPOSITE";
  const owner = options.withOwner ? OWNER_XML : "";
  const restore = options.withRestoreStatus ? restoreElement(object, options.clock) : "";
  return `<Contents>${options.parameters.nameElement("Key", key)}<LastModified>${options.clock.isoDate(object.lastModifiedMs)}</LastModified><ETag>&quot;${contents.etag}&quot;</ETag><ChecksumAlgorithm>${contents.checksum.algorithm.toUpperCase()}</ChecksumAlgorithm><ChecksumType>${checksumType}</ChecksumType><Size>${contents.body.size}</Size>${owner}<StorageClass>${contents.storageClass}</StorageClass>${restore}</Contents>`;
}

function restoreElement(object: StoredObject, clock: StoreClock): string {
  const { restore } = object.contents;
  if (restore === undefined) return "";
  const expiry = restore.expiry === undefined ? undefined : clock.isoDate(restore.expiry.getTime());
  return `<RestoreStatus>${element("IsRestoreInProgress", String(restore.ongoing))}${element("RestoreExpiryDate", expiry)}</RestoreStatus>`;
}

function isObject(version: StoredVersion): boolean {
  return !version.isDeleteMarker;
}

function itemName(item: WalkItem): string {
  return item.kind === "key" ? item.key : item.prefix;
}

function writeToken(name: string): string {
  return Buffer.from(TOKEN_MARK + name).toString("base64");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (text.startsWith(TOKEN_MARK)) return text.slice(TOKEN_MARK.length);
  throw s3Error("InvalidArgument", "The continuation token provided is incorrect");
}
