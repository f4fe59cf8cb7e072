/** `consigningOf`: what a run needs of an external copy engine, from the job and its live settings. */

import { Recalls } from "../../conveyor/recalls.ts";
import type { Consigning } from "../../conveyor/run-context.ts";
import { rowUpdatesOf } from "../../domain/engines/row-updates.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { JobParts } from "../job-parts.ts";
import type { LiveSettings } from "./live-settings.ts";

/**
 * The external engine of a job of `spec` under its settings in force; null where the service copies. `store` is the job's, for
 * the engine's own requests.
 */
export async function consigningOf(
  { consignmentEngines, connections, clock }: JobParts,
  spec: JobSpec,
  run: { readonly settings: LiveSettings; readonly store: ObjectStore; readonly recall: AbortSignal },
): Promise<Consigning | null> {
  if (spec.engine === "service") return null;
  const open = consignmentEngines[spec.engine];
  const { settings } = connections.awsOf(spec.source.store);
  // Refused at the start of the run.
  if (open === undefined || settings === null) return null;
  const { windows } = run.settings;
  return {
    engine: await open({ spec, store: run.store, settings }),
    limits: () => windows.limitsAt(clock.now()),
    closesAt: () => windows.closesAt("copy", clock.now()),
    updatesRows: rowUpdatesOf(spec) !== null,
    recall: run.recall,
    recalls: new Recalls(),
  };
}
