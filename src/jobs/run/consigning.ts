/** `consigningOf`: what a run needs of an external copy engine, from the job and its live settings. */

import type { Consigning } from "../../conveyor/run-context.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { JobParts } from "../job-parts.ts";
import type { LiveSettings } from "./live-settings.ts";

/** The external engine of a job of `spec` under its settings in force; null where the service copies. */
export function consigningOf(
  { consignmentEngine, clock }: JobParts,
  spec: JobSpec,
  { windows }: LiveSettings,
  recall: AbortSignal,
): Consigning | null {
  const engine = consignmentEngine(spec);
  if (engine === null) return null;
  return {
    engine,
    limits: () => windows.limitsAt(clock.now()),
    closesAt: () => windows.closesAt("copy", clock.now()),
    recall,
  };
}
