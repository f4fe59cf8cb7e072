/** The source of a copy: how its header is decoded, and every reason to refuse it. */

import type { StoreState } from "../buckets/store-state.ts";
import { checkCopySourceCondition } from "../protocol/conditions.ts";
import { s3Error } from "../protocol/s3-error.ts";
import { type CopySource, header, type S3Request } from "../protocol/s3-request.ts";
import type { ObjectBody } from "./object-body.ts";
import { isArchived, type StoredObject } from "./stored-object.ts";

/**
 * Decodes the header as AWS does: an optional leading slash, `?versionId=` split off while still encoded, then
 * percent-decoding in which `+` is a space.
 */
export function parseCopySource(text: string): CopySource {
  const raw = text.startsWith("/") ? text.slice(1) : text;
  const mark = raw.indexOf("?");
  const path = decodePath(mark < 0 ? raw : raw.slice(0, mark));
  const slash = path.indexOf("/");
  if (slash <= 0 || slash === path.length - 1) {
    throw s3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  const versionId = mark < 0 ? undefined : /^versionId=([^&]+)/.exec(raw.slice(mark + 1))?.[1];
  if (mark >= 0 && versionId === undefined) throw s3Error("InvalidArgument", "Invalid copy source query");
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1), versionId };
}

/** The source object; throws what S3 answers if it is missing, archived, or fails a condition. */
export function findCopySource(
  state: StoreState,
  request: S3Request,
): { source: CopySource; object: StoredObject } {
  const source = request.copySource ?? parseCopySource("");
  const object = findSourceObject(state, source);
  checkCopySourceCondition(request.headers, object);
  if (isArchived(object.contents)) throw archivedError(object);
  return { source, object };
}

/** Bytes that a request makes the store copy; 0 for other requests, and for copies that will be refused. */
export function bytesToCopy(state: StoreState, request: S3Request): number {
  if (request.copySource === undefined) return 0;
  try {
    const { body } = findSourceObject(state, request.copySource).contents;
    return copiedRange(request, body).size;
  } catch {
    return 0;
  }
}

/** The part of the source that `x-amz-copy-source-range` asks for: all of it without that header. */
export function copiedRange(request: S3Request, source: ObjectBody): ObjectBody {
  const range = header(request, "x-amz-copy-source-range");
  if (range === undefined) return source;
  const match = /^bytes=(\d+)-(\d+)$/.exec(range);
  if (match === null) {
    throw s3Error(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    );
  }
  const [first, last] = [Number(match[1]), Number(match[2])];
  if (first > last || last >= source.size) {
    throw s3Error(
      "InvalidArgument",
      `Range specified is not valid for source object of size: ${source.size}`,
    );
  }
  return source.slice(first, last + 1);
}

function findSourceObject(state: StoreState, source: CopySource): StoredObject {
  const bucket = state.bucket(source.bucket);
  const { key, versionId } = source;
  const version = versionId === undefined ? bucket.index.get(key) : bucket.version(key, versionId);
  if (version === undefined) {
    const fields = versionId === undefined ? { Key: key } : { Key: key, VersionId: versionId };
    throw s3Error(versionId === undefined ? "NoSuchKey" : "NoSuchVersion", undefined, { fields });
  }
  if (!version.isDeleteMarker) return version;
  if (versionId === undefined) throw s3Error("NoSuchKey", undefined, { fields: { Key: key } });
  throw s3Error(
    "InvalidRequest",
    "The source of a copy request may not specifically refer to a delete marker by version id.",
  );
}

/** GLACIER and DEEP_ARCHIVE are told by InvalidObjectState, the archive tiers of INTELLIGENT_TIERING by the other. */
function archivedError(object: StoredObject): Error {
  const { storageClass, archiveStatus } = object.contents;
  if (archiveStatus === undefined) return s3Error("ObjectNotInActiveTierError");
  return s3Error("InvalidObjectState", undefined, {
    fields: { StorageClass: storageClass, AccessTier: archiveStatus },
  });
}

function decodePath(path: string): string {
  const text = path.includes("+") ? path.replaceAll("+", " ") : path;
  try {
    // Bytes above 0x7F arrive as Latin-1 characters; on the wire they were UTF-8.
    return decodeURIComponent(NON_ASCII.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text);
  } catch {
    throw s3Error("InvalidArgument", "Invalid copy source encoding.");
  }
}

const NON_ASCII = /[\u0080-\uffff]/;
