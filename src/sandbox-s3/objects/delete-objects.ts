/** DeleteObject and DeleteObjects. */

import type { Bucket, RemovalResult } from "../buckets/bucket.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, emptyAnswer, pushHeader, xmlAnswer } from "../protocol/answer.ts";
import { checkIfMatch } from "../protocol/conditions.ts";
import type { DeletionEntry } from "../protocol/deletion-list.ts";
import { requireDigest } from "../protocol/payload-digests.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { header, type KeyError, type S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";
import { checkKey } from "./object-key.ts";

/** Deletes one object or version; a missing one counts as deleted unless `If-Match` asks for it. */
export function deleteObject(state: StoreState, request: S3Request): Answer {
  const { target } = request;
  const result = deleteEntry(state, state.bucket(target.bucket), {
    key: target.key,
    versionId: target.query.get("versionId"),
    etag: header(request, "if-match"),
  });
  const headers: string[] = [];
  if (result.isDeleteMarker) headers.push("x-amz-delete-marker", "true");
  pushHeader(headers, "x-amz-version-id", result.versionId);
  return emptyAnswer(204, headers);
}

/** Deletes up to 1,000 objects, each with its own result. */
export function deleteObjects(state: StoreState, request: S3Request): Answer {
  const bucket = state.bucket(request.target.bucket);
  requireDigest(request.headers, request.body);
  const { entries, isQuiet } = request.deletion;
  let content = "";
  for (const entry of entries) {
    const error = request.keyErrors?.get(entry.key);
    if (error?.omitted === "deleted") tryEntry(state, bucket, entry);
    if (error?.omitted !== undefined) continue;
    const result = error === undefined ? tryEntry(state, bucket, entry) : error;
    if ("code" in result) content += errorResult(entry, result);
    else if (!isQuiet) content += deletedResult(entry, result);
  }
  return xmlAnswer("DeleteResult", content);
}

function tryEntry(state: StoreState, bucket: Bucket, entry: DeletionEntry): RemovalResult | KeyError {
  try {
    checkKey(entry.key);
    return deleteEntry(state, bucket, entry);
  } catch (error) {
    if (error instanceof S3Error) return error.details;
    throw error;
  }
}

function deleteEntry(state: StoreState, bucket: Bucket, entry: DeletionEntry): RemovalResult {
  // The condition looks at the current object, even when a version is named.
  if (state.keepsConditions) checkIfMatch(entry.etag, bucket.current(entry.key));
  return entry.versionId === undefined
    ? bucket.remove(entry.key, state.clock.nowMs())
    : bucket.removeVersion(entry.key, entry.versionId);
}

function deletedResult(entry: DeletionEntry, result: RemovalResult): string {
  const marker = result.isDeleteMarker
    ? `<DeleteMarker>true</DeleteMarker>${element("DeleteMarkerVersionId", result.versionId)}`
    : "";
  return `<Deleted>${element("Key", entry.key)}${element("VersionId", entry.versionId)}${marker}</Deleted>`;
}

function errorResult(entry: DeletionEntry, error: KeyError): string {
  return `<Error>${element("Key", entry.key)}${element("VersionId", entry.versionId)}${element("Code", error.code)}${element("Message", error.message)}</Error>`;
}
