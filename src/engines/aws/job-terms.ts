/** The arguments that all invocations of a consignment's job are given. */

import { DomainError } from "../../domain/errors.ts";
import type { Consignment, ConsignmentLimits } from "../../ports/consignment-engine.ts";
import { encodeTerms, type JobTerms, MOST_ARGUMENT_CHARACTERS } from "./user-arguments.ts";

/** What of an invocation's time limit the shortest duration of invocations may use: the copy itself needs the rest. */
const MOST_OF_TIMEOUT = 0.5;

/**
 * The encoded terms; throws `engine_refused` where an argument is too long, or where invocations would have to last so long
 * for the rate that they could reach `functionTimeoutMs`.
 */
export function userArguments(
  relocation: Omit<JobTerms, "token" | "notAfter" | "leastMs">,
  { token, notAfter }: Pick<Consignment, "token" | "notAfter">,
  limits: ConsignmentLimits,
  functionTimeoutMs: number,
): Record<string, string> {
  const leastMs = leastDurationMs(limits);
  if (leastMs > functionTimeoutMs * MOST_OF_TIMEOUT) {
    const { concurrency, requestsPerSecond } = limits;
    throw new DomainError(
      "engine_refused",
      `${requestsPerSecond} requests a second by ${concurrency} functions at once would need invocations of ${leastMs} ms, ` +
        `and they end after ${functionTimeoutMs} ms; lower concurrency`,
    );
  }
  const all = encodeTerms({ ...relocation, token, notAfter, leastMs });
  const long = Object.entries(all).find(([, value]) => value.length > MOST_ARGUMENT_CHARACTERS);
  if (long !== undefined) {
    throw new DomainError(
      "engine_refused",
      `${long[0]} is longer than the ${MOST_ARGUMENT_CHARACTERS} characters of an argument of S3 Batch Operations, encoded`,
    );
  }
  return all;
}

/** How long an invocation must last, ms, so that `concurrency` of them at once never exceed the rate. */
function leastDurationMs({ concurrency, requestsPerSecond }: ConsignmentLimits): number {
  if (requestsPerSecond === null) return 0;
  return Math.ceil((Math.max(1, concurrency) / requestsPerSecond) * 1000);
}
