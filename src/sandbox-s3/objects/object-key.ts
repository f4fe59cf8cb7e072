/** The rule of S3 for the length of keys. */

import { s3Error } from "../protocol/s3-error.ts";

const MAX_KEY_BYTES = 1024;

/** Whether the key is at most 1,024 bytes of UTF-8. */
function isKeyLengthAllowed(key: string): boolean {
  // No UTF-16 unit takes more than three bytes.
  return key.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(key) <= MAX_KEY_BYTES;
}

/** Throws KeyTooLongError unless the length is allowed. */
export function checkKey(key: string): void {
  if (isKeyLengthAllowed(key)) return;
  const fields = { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(MAX_KEY_BYTES) };
  throw s3Error("KeyTooLongError", undefined, { fields });
}
