/** Finds the reason of a refused HEAD, whose answer has no body to state one. */

import { S3Fault } from "../s3-errors.ts";

/** The codes of a HEAD that was refused for its object or bucket, for expired credentials or for a wrong clock alike. */
const WITHOUT_REASON: ReadonlySet<string> = new Set(["HTTP 400", "HTTP 401", "HTTP 403"]);

/**
 * Sends `head`. When it is refused without a reason, sends `explain`, a GET that needs the same right and throws the
 * reason. When that succeeds (the refusal has corrected the SDK's clock, for example), sends `head` once more.
 */
export async function explainRefusal<Facts>(
  head: () => Promise<Facts>,
  explain: () => Promise<unknown>,
): Promise<Facts> {
  try {
    return await head();
  } catch (error) {
    if (!(error instanceof S3Fault) || !WITHOUT_REASON.has(error.vendorCode)) throw error;
    await explain();
    return head();
  }
}
