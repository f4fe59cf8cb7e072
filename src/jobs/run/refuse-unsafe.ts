/** `refuseUnsafe`: what keeps an accepted job from being run here. */

import { engineFaults } from "../../domain/engines/engine-faults.ts";
import { DomainError } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import { nestedPrefixFaults } from "../../domain/keys/nested-prefixes.ts";
import type { JobParts } from "../job-parts.ts";
import { knownEngines } from "../known-engines.ts";

/**
 * Throws `invalid_input` where an earlier version has accepted a job that would rewrite rows twice, and `engine_refused`
 * where the job's engine is not available or not configured here: another engine must not take its place unnoticed.
 */
export function refuseUnsafe(
  spec: JobSpec,
  parts: Pick<JobParts, "connections" | "consignmentEngines">,
): void {
  const [nested] = nestedPrefixFaults(spec);
  if (nested !== undefined)
    throw new DomainError("invalid_input", `an earlier version accepted this job: ${nested.message}`);
  const [unfit] = engineFaults(spec, knownEngines(parts));
  if (unfit !== undefined) throw new DomainError("engine_refused", `${unfit.pointer}: ${unfit.message}`);
}
