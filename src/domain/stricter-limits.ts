/** Whether limits became stricter than those that an external engine was given for copies on their way. Pure. */

import type { Limits } from "./job-spec.ts";

type EngineLimits = Pick<Limits, "concurrency" | "requestsPerSecond">;

/** Whether work within the limits `sent` may exceed `now`. */
export function areStricter(now: EngineLimits, sent: EngineLimits): boolean {
  const rate = ({ requestsPerSecond }: EngineLimits) => requestsPerSecond ?? Number.POSITIVE_INFINITY;
  return now.concurrency < sent.concurrency || rate(now) < rate(sent);
}
