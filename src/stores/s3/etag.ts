/** ETags without their quotes inside Tranship, with them on the wire. */

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
