/** ListObjectVersions: the first page. */

import type { StoredVersion } from "../objects/stored-object.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import {
  type ListingParameters,
  readListingParameters,
  refuseParameters,
} from "../protocol/listing-parameters.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { OWNER_XML } from "./bucket-operations.ts";
import { type ListedKey, walkKeys } from "./listing-walk.ts";
import type { StoreClock } from "./store-clock.ts";
import type { StoreState } from "./store-state.ts";

/** Lists versions and delete markers: keys in byte order, each from its newest version. */
export function listObjectVersions(state: StoreState, request: S3Request): Answer {
  const { bucket } = request.target;
  const { index } = state.bucket(bucket);
  const parameters = readListingParameters(request, "max-keys");
  refuseParameters(request, ["key-marker", "version-id-marker"]);
  const { prefix, maxItems } = parameters;
  const walk = { prefix, after: "", maxItems: maxItems + 1 };
  const rows = walkKeys(index, walk, isAny).items.flatMap(versionsOf);
  const content =
    element("Name", bucket) +
    parameters.nameElement("Prefix", prefix) +
    element("MaxKeys", maxItems) +
    parameters.encodingElement +
    element("IsTruncated", String(rows.length > maxItems && maxItems > 0)) +
    rows
      .slice(0, maxItems)
      .map((row) => rowElement(row, parameters, state.clock))
      .join("");
  return xmlAnswer("ListVersionsResult", content);
}

function isAny(version: StoredVersion): version is StoredVersion {
  return version !== undefined;
}

interface Row extends ListedKey {
  readonly isLatest: boolean;
}

function versionsOf({ key, version: newest }: ListedKey): Row[] {
  const rows: Row[] = [];
  for (let version: StoredVersion | undefined = newest; version !== undefined; version = version.older) {
    rows.push({ key, version, isLatest: version === newest });
  }
  return rows;
}

function rowElement(
  { key, version, isLatest }: Row,
  parameters: ListingParameters,
  clock: StoreClock,
): string {
  const shared =
    parameters.nameElement("Key", key) +
    element("VersionId", version.versionId) +
    element("IsLatest", String(isLatest)) +
    element("LastModified", clock.isoDate(version.lastModifiedMs));
  if (version.isDeleteMarker) return `<DeleteMarker>${shared}${OWNER_XML}</DeleteMarker>`;
  const { contents } = version;
  return `<Version>${shared}${element("ETag", `"${contents.etag}"`)}${element("Size", contents.body.size)}${OWNER_XML}${element("StorageClass", contents.storageClass)}</Version>`;
}
