/** The `x-amz-copy-source` header: the one place where a key must be encoded by hand. */

/** What `encodeURIComponent` leaves alone though SigV4 and S3 count it as reserved. */
const ALSO_RESERVED = /[!'()*]/g;

/**
 * `bucket/key` with every segment percent-encoded. Raw, S3 would read `+` as a space and `%41` as `A`, and Node would
 * refuse characters beyond Latin-1. Throws `URIError` for a key that is not valid Unicode.
 */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split("/").map(encodeSegment).join("/")}`;
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    ALSO_RESERVED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
