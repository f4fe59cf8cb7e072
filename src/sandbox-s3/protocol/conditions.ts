/** The conditions (`If-Match`, `If-None-Match`) of reads, writes, copies and deletes. */

import type { IncomingHttpHeaders } from "node:http";
import type { StoredObject } from "../objects/stored-object.ts";
import { preconditionFailed, s3Error } from "./s3-error.ts";

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

/** The condition on the source of a copy. */
export function checkCopySourceCondition(headers: IncomingHttpHeaders, { contents }: StoredObject): void {
  const name = "x-amz-copy-source-if-match";
  const etag = headers[name];
  if (typeof etag === "string" && !etagMatches(etag, contents.etag)) throw preconditionFailed(name);
}
