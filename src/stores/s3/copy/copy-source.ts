/** Keys as paths and the `x-amz-copy-source` header have them. */

/** What `encodeURIComponent` leaves alone though SigV4 and S3 count it as reserved. */
const ALSO_RESERVED = /[!'()*]/g;

/**
 * `bucket/key` with every segment percent-encoded. Raw, S3 would read `+` as a space and `%41` as `A`, and Node would
 * refuse characters beyond Latin-1. Throws `URIError` for a key that is not valid Unicode.
 */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${encodeKey(key)}`;
}

/** What every store reads as it stands, so that most keys need no second look. */
const PLAIN = /^[A-Za-z0-9\-._~/]*$/;

/** Every segment percent-encoded, slashes and dots left as they are. Throws `URIError` as {@link copySource} does. */
export function encodeKey(key: string): string {
  return PLAIN.test(key) ? key : key.split("/").map(encodeSegment).join("/");
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    ALSO_RESERVED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
