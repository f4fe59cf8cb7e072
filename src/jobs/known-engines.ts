/** `knownEngines`: what this process knows of engines on AWS, for the checks of a job. */

import type { KnownEngines } from "../domain/engines/engine-faults.ts";
import type { AwsEngineName } from "../domain/job-spec.ts";
import type { JobParts } from "./job-parts.ts";

/** Engines are those of `consignmentEngines`, stores those of the connections. */
export function knownEngines({
  connections,
  consignmentEngines,
}: Pick<JobParts, "connections" | "consignmentEngines">): KnownEngines {
  return {
    available: Object.keys(consignmentEngines) as AwsEngineName[],
    store: (name) =>
      connections.storeNames.includes(name)
        ? { ...connections.awsOf(name), ...connections.storeLimits(name) }
        : null,
  };
}
