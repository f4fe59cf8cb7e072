/** Finds out why a HEAD was refused: its answer has no body that could tell. */

import { S3Fault } from "../s3-errors.ts";

/** So look refusals of this one object or bucket, expired credentials and a wrong clock alike. */
const WITHOUT_REASON: ReadonlySet<string> = new Set(["HTTP 400", "HTTP 401", "HTTP 403"]);

/**
 * Sends `look`, a HEAD; when it is refused without a reason, asks a similar question by `explain`, which throws what
 * is wrong. When nothing is (any more, as the refusal has taught the SDK the store's time), looks once more.
 */
export async function withReason<Facts>(
  look: () => Promise<Facts>,
  explain: () => Promise<unknown>,
): Promise<Facts> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof S3Fault) || !WITHOUT_REASON.has(error.vendorCode)) throw error;
    await explain();
    return look();
  }
}
