/** GetObject and HeadObject. */

import type { Bucket } from "../buckets/bucket.ts";
import type { StoreState } from "../buckets/store-state.ts";
import type { Answer } from "../protocol/answer.ts";
import { checkIfMatch } from "../protocol/conditions.ts";
import { describeObject, pushChecksum } from "../protocol/object-headers.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { header, type S3Request } from "../protocol/s3-request.ts";
import { isArchived, type StoredObject, type StoredVersion } from "./stored-object.ts";

interface ReadRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Answers with the object's bytes, or a range of them. */
export function getObject(state: StoreState, request: S3Request): Answer {
  return readObject(state, request, false);
}

/** Answers with what GetObject would say, without the bytes; archived objects are fine. */
export function headObject(state: StoreState, request: S3Request): Answer {
  return readObject(state, request, true);
}

/** The version a request names, or the current one, and its bucket; throws what S3 says of missing and deleted ones. */
export function requestedObject(
  state: StoreState,
  { target }: S3Request,
): { readonly bucket: Bucket; readonly object: StoredObject } {
  const bucket = state.bucket(target.bucket);
  return { bucket, object: findObject(bucket, target.key, target.query.get("versionId")) };
}

function findObject(bucket: Bucket, key: string, versionId: string | undefined): StoredObject {
  if (versionId === undefined) return orNoSuchKey(bucket.index.get(key), key);
  const version = bucket.version(key, versionId);
  if (version === undefined) {
    throw s3Error("NoSuchVersion", undefined, { fields: { Key: key, VersionId: versionId } });
  }
  if (version.isDeleteMarker) {
    const headers = ["x-amz-delete-marker", "true", "x-amz-version-id", version.versionId];
    throw s3Error("MethodNotAllowed", undefined, { headers });
  }
  return version;
}

function orNoSuchKey(version: StoredVersion | undefined, key: string): StoredObject {
  if (version === undefined) throw s3Error("NoSuchKey", undefined, { fields: { Key: key } });
  if (!version.isDeleteMarker) return version;
  const headers = ["x-amz-delete-marker", "true", "x-amz-version-id", version.versionId];
  throw s3Error("NoSuchKey", undefined, { fields: { Key: key }, headers });
}

function readObject(state: StoreState, request: S3Request, isHead: boolean): Answer {
  const { target } = request;
  const { bucket, object } = requestedObject(state, request);
  const { contents } = object;
  if (!isHead && isArchived(contents)) {
    throw s3Error("InvalidObjectState", undefined, { fields: { StorageClass: contents.storageClass } });
  }
  const headers = describeObject(object, bucket, state.clock);
  checkIfMatch(header(request, "if-match"), object);
  const range = partRange(request, object) ?? byteRange(header(request, "range"), contents.body.size);
  const size = contents.body.size;
  const { start, end } = range ?? { start: 0, end: size };
  if (range !== undefined) headers.push("Content-Range", `bytes ${start}-${end - 1}/${size}`);
  if (target.query.has("partNumber") && contents.parts !== undefined) {
    headers.push("x-amz-mp-parts-count", String(contents.parts.length));
  }
  if (isChecksumShown(request, object, isHead, range)) pushChecksum(headers, object);
  const status = range === undefined ? 200 : 206;
  if (isHead) return { status, headers, body: undefined, headLength: end - start };
  return { status, headers, body: { source: contents.body, start, end } };
}

function isChecksumShown(
  request: S3Request,
  object: StoredObject,
  isHead: boolean,
  range: ReadRange | undefined,
): boolean {
  if (header(request, "x-amz-checksum-mode")?.toUpperCase() !== "ENABLED" || range !== undefined)
    return false;
  // The checksum of a huge pattern stands for the pattern; a reader that computes it would find another.
  return isHead || object.contents.body.descriptor === undefined;
}

/** The range of `?partNumber=`; objects written in one piece have one part. */
function partRange(request: S3Request, object: StoredObject): ReadRange | undefined {
  const text = request.target.query.get("partNumber");
  if (text === undefined) return undefined;
  const { parts, body } = object.contents;
  const wanted = Number(text);
  if (parts === undefined) {
    if (wanted !== 1) throw s3Error("InvalidPartNumber");
    return { start: 0, end: body.size };
  }
  let start = 0;
  for (const [at, part] of parts.entries()) {
    // Completing an upload renumbers its parts from 1.
    if (at + 1 === wanted) return { start, end: start + part.size };
    start += part.size;
  }
  throw s3Error("InvalidPartNumber");
}

/** The `Range` header; malformed ones are ignored, as RFC 9110 asks. */
function byteRange(text: string | undefined, size: number): ReadRange | undefined {
  const match = text === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(text);
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
  if (start < end) return { start, end };
  const fields = { RangeRequested: text as string, ActualObjectSize: String(size) };
  throw s3Error("InvalidRange", undefined, { fields, headers: ["Content-Range", `bytes */${size}`] });
}
