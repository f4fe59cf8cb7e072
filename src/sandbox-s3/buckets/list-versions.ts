/** This file is ListObjectVersions. */

import type { StoredVersion } from "../objects/stored-object.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import { toByteOrder } from "../protocol/byte-order.ts";
import { type ListingParameters, readListingParameters } from "../protocol/listing-parameters.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import type { Bucket } from "./bucket.ts";
import { OWNER_XML } from "./bucket-operations.ts";
import { walkKeys } from "./listing-walk.ts";
import type { StoreClock } from "./store-clock.ts";
import type { StoreState } from "./store-state.ts";

type Row =
  | { readonly kind: "prefix"; readonly prefix: string }
  | {
      readonly kind: "version";
      readonly key: string;
      readonly version: StoredVersion;
      readonly isLatest: boolean;
    };

/** Lists every version and delete marker: keys in byte order, each from its newest version. */
export function listObjectVersions(state: StoreState, request: S3Request): Answer {
  const { query, bucket: bucketName } = request.target;
  const bucket = state.bucket(bucketName);
  const parameters = readListingParameters(request, "max-keys");
  const keyMarker = query.get("key-marker") ?? "";
  const versionMarker = query.get("version-id-marker") ?? "";
  const rows = collectRows(bucket, parameters, keyMarker, versionMarker);
  const page = rows.slice(0, parameters.maxItems);
  const isTruncated = rows.length > page.length && page.length > 0;
  const last = isTruncated ? page.at(-1) : undefined;
  const content =
    element("Name", bucketName) +
    parameters.nameElement("Prefix", parameters.prefix) +
    parameters.nameElement("KeyMarker", keyMarker) +
    element("VersionIdMarker", versionMarker) +
    (last === undefined ? "" : nextMarkers(parameters, last)) +
    element("MaxKeys", parameters.maxItems) +
    parameters.nameElement("Delimiter", parameters.delimiter || undefined) +
    parameters.encodingElement +
    element("IsTruncated", String(isTruncated)) +
    page.map((row) => rowElement(row, parameters, state.clock)).join("");
  return xmlAnswer("ListVersionsResult", content);
}

/** One row more than a page needs, to know whether there are more. */
function collectRows(
  bucket: Bucket,
  parameters: ListingParameters,
  keyMarker: string,
  versionMarker: string,
): Row[] {
  const { prefix, delimiter, maxItems } = parameters;
  const rows: Row[] = [];
  if (versionMarker !== "" && toByteOrder(keyMarker).startsWith(toByteOrder(prefix))) {
    const marked = bucket.version(keyMarker, versionMarker);
    pushVersions(rows, keyMarker, marked?.older, false);
  }
  const walk = { prefix, after: keyMarker, delimiter, maxItems: maxItems + 1 };
  for (const item of walkKeys(bucket.index, walk, () => true).items) {
    if (item.kind === "prefix") rows.push(item);
    else pushVersions(rows, item.key, item.version, true);
  }
  return rows;
}

function pushVersions(rows: Row[], key: string, newest: StoredVersion | undefined, isLatest: boolean): void {
  for (let version = newest; version !== undefined; version = version.older) {
    rows.push({ kind: "version", key, version, isLatest: isLatest && version === newest });
  }
}

function nextMarkers(parameters: ListingParameters, last: Row): string {
  if (last.kind === "prefix") return parameters.nameElement("NextKeyMarker", last.prefix);
  return (
    parameters.nameElement("NextKeyMarker", last.key) + element("NextVersionIdMarker", last.version.versionId)
  );
}

function rowElement(row: Row, parameters: ListingParameters, clock: StoreClock): string {
  if (row.kind === "prefix") {
    return `<CommonPrefixes>${parameters.nameElement("Prefix", row.prefix)}</CommonPrefixes>`;
  }
  const { version } = row;
  const shared =
    parameters.nameElement("Key", row.key) +
    element("VersionId", version.versionId) +
    element("IsLatest", String(row.isLatest)) +
    element("LastModified", clock.isoDate(version.lastModifiedMs));
  if (version.isDeleteMarker) return `<DeleteMarker>${shared}${OWNER_XML}</DeleteMarker>`;
  const { contents } = version;
  return `<Version>${shared}${element("ETag", `"${contents.etag}"`)}${element("Size", contents.body.size)}${OWNER_XML}${element("StorageClass", contents.storageClass)}</Version>`;
}
