/** Digests that stand for a text of any length. */

import { createHash } from "node:crypto";

/** SHA-256 of `text`, in hex. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
