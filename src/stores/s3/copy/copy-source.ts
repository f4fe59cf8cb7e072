/** Keys as the `x-amz-copy-source` header and request paths carry them. */

/** Characters that `encodeURIComponent` leaves as they are, though SigV4 and S3 count them as reserved. */
const ALSO_RESERVED = /[!'()*]/g;

/**
 * `bucket/key` with every segment percent-encoded. S3 would read a raw `+` as a space and `%41` as `A`, and Node refuses
 * characters beyond Latin-1. Throws `URIError` for a key that is not valid Unicode.
 */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${encodeKey(key)}`;
}

/** Characters that need no encoding; most keys have no others. */
const PLAIN = /^[A-Za-z0-9\-._~/]*$/;

/** Every segment percent-encoded, slashes and dots as they are. Throws `URIError` as {@link copySource} does. */
export function encodeKey(key: string): string {
  return PLAIN.test(key) ? key : key.split("/").map(encodeSegment).join("/");
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    ALSO_RESERVED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
