/** How long a job keeps its sources after their rows were updated. */

import { durationMs } from "./duration.ts";
import type { JobSpec } from "./job-spec.ts";

/** Milliseconds between the update of a batch and the deletion of its sources; 0 where no deletion follows. */
export function gracePeriodMs({ when, after }: JobSpec["delete"]): number {
  return when === "never" ? 0 : durationMs(after);
}
