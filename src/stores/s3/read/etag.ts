/** ETags without their quotes inside Tranship, with them on the wire. */

import { createHash } from "node:crypto";

/** `"abc"` → `abc`; empty when there is none. */
export function bareEtag(etag: string | undefined): string {
  return etag?.replace(/^"|"$/g, "") ?? "";
}

/** `abc` → `"abc"`, as HTTP conditions want it. */
export function quotedEtag(etag: string): string {
  return `"${etag}"`;
}

/** How many parts an ETag such as `…-3` speaks of; null when the object was not uploaded in parts. */
export function partsInEtag(etag: string): number | null {
  const parts = /-(\d+)$/.exec(etag)?.[1];
  return parts === undefined ? null : Number(parts);
}

const MD5 = /^[0-9a-f]{32}$/;

/**
 * The ETag of an object made of parts with these ETags, in order: the MD5 of their MD5s and their number (S3 user guide,
 * "Checking object integrity"; Ceph the same). Null where one of them is no MD5, as with KMS.
 */
export function etagOfParts(etags: readonly string[]): string | null {
  if (etags.length === 0 || !etags.every((etag) => MD5.test(etag))) return null;
  const joined = createHash("md5")
    .update(Buffer.from(etags.join(""), "hex"))
    .digest("hex");
  return `${joined}-${etags.length}`;
}
