/** This file evaluates the conditions (`If-Match` and its kin) of reads, writes, copies and deletes. */

import type { IncomingHttpHeaders } from "node:http";
import type { StoredObject } from "../objects/stored-object.ts";
import { preconditionFailed, s3Error } from "./s3-error.ts";

type HeaderValue = string | string[] | undefined;

/** Whether `etag` satisfies an `If-Match` value: `*`, or one of the ETags it lists, quoted or not. */
function etagMatches(condition: string, etag: string): boolean {
  if (condition === "*") return true;
  return condition
    .split(",")
    .some((candidate) => candidate.trim().replace(/^(?:W\/)?"(.*)"$/, "$1") === etag);
}

/**
 * The conditions of PutObject, CopyObject and CompleteMultipartUpload on the key they write:
 *
 * | header | key is free | key is taken |
 * |---|---|---|
 * | If-None-Match: * | write | 412 |
 * | If-Match: etag | 404 | 412 unless it matches |
 */
export function checkWriteConditions(headers: IncomingHttpHeaders, existing: StoredObject | undefined): void {
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== "*") throw s3Error("NotImplemented");
    if (existing !== undefined) throw preconditionFailed("If-None-Match");
  }
  checkIfMatch(headers["if-match"], existing);
}

/** `If-Match` of a write or a delete: 404 without an object, 412 with another one. */
export function checkIfMatch(ifMatch: string | undefined, existing: StoredObject | undefined): void {
  if (ifMatch === undefined) return;
  if (existing === undefined) throw s3Error("NoSuchKey");
  if (!etagMatches(ifMatch, existing.contents.etag)) throw preconditionFailed("If-Match");
}

/** The four conditions on the source of a copy; every failure is a 412. */
export function checkCopySourceConditions(headers: IncomingHttpHeaders, source: StoredObject): void {
  const prefix = "x-amz-copy-source-if-";
  const failed = failedCondition(
    {
      match: headers[`${prefix}match`],
      noneMatch: headers[`${prefix}none-match`],
      modifiedSince: headers[`${prefix}modified-since`],
      unmodifiedSince: headers[`${prefix}unmodified-since`],
    },
    source,
  );
  if (failed !== undefined) throw preconditionFailed(prefix + failed);
}

/** The conditions of GET and HEAD: 412, or `true` for "304 Not Modified". */
export function checkReadConditions(headers: IncomingHttpHeaders, object: StoredObject): boolean {
  const failed = failedCondition(
    {
      match: headers["if-match"],
      noneMatch: headers["if-none-match"],
      modifiedSince: headers["if-modified-since"],
      unmodifiedSince: headers["if-unmodified-since"],
    },
    object,
  );
  if (failed === "match" || failed === "unmodified-since") throw preconditionFailed(`If-${failed}`);
  return failed !== undefined;
}

interface Conditions {
  readonly match: HeaderValue;
  readonly noneMatch: HeaderValue;
  readonly modifiedSince: HeaderValue;
  readonly unmodifiedSince: HeaderValue;
}

/** The ETag conditions outrank the dates, as RFC 9110 and S3's own table have it. */
function failedCondition(conditions: Conditions, object: StoredObject): string | undefined {
  const { etag } = object.contents;
  const { match, noneMatch, modifiedSince, unmodifiedSince } = conditions;
  if (typeof match === "string") {
    if (!etagMatches(match, etag)) return "match";
  } else if (isAfter(object.lastModifiedMs, unmodifiedSince)) {
    return "unmodified-since";
  }
  if (typeof noneMatch === "string") return etagMatches(noneMatch, etag) ? "none-match" : undefined;
  return isAfter(object.lastModifiedMs, modifiedSince) === false ? "modified-since" : undefined;
}

/** `undefined` when the header is missing or no date: such a condition is ignored. */
function isAfter(ms: number, date: HeaderValue): boolean | undefined {
  const limit = typeof date === "string" ? Date.parse(date) : Number.NaN;
  return Number.isNaN(limit) ? undefined : ms > limit;
}
