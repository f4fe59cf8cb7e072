/** ETags: without quotes in Tranship, with quotes in HTTP. */

import { createHash } from "node:crypto";

/** `"abc"` → `abc`; empty when there is none. */
export function bareEtag(etag: string | undefined): string {
  return etag?.replace(/^"|"$/g, "") ?? "";
}

/** `abc` → `"abc"`, as in HTTP conditions. */
export function quotedEtag(etag: string): string {
  return `"${etag}"`;
}

/** The number of parts in an ETag such as `…-3`; null when the object was not uploaded in parts. */
export function partsInEtag(etag: string): number | null {
  const parts = /-(\d+)$/.exec(etag)?.[1];
  return parts === undefined ? null : Number(parts);
}

const MD5 = /^[0-9a-f]{32}$/;

/**
 * The ETag of an object completed from parts with these ETags, in order: the MD5 of their MD5s, and their number (S3 user
 * guide, "Checking object integrity"; the same on Ceph). Null where one of them is no MD5, as with KMS.
 */
export function etagOfParts(etags: readonly string[]): string | null {
  if (etags.length === 0 || !etags.every((etag) => MD5.test(etag))) return null;
  const joined = createHash("md5")
    .update(Buffer.from(etags.join(""), "hex"))
    .digest("hex");
  return `${joined}-${etags.length}`;
}
