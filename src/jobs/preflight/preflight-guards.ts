/** What preflight finds of the database guards: limits on what the account may not read, or what does not answer. */

import type { DatabaseLimits, JobSpec } from "../../domain/job-spec.ts";
import { LIMIT_NAMES } from "../../pacing/database/database-guard.ts";
import type { HealthSample } from "../../ports/database-health.ts";
import type { JobParts } from "../job-parts.ts";
import type { Problem } from "./preflight-report.ts";

/** Asks every database of the job once for what its guards will ask for. Throws as {@link DatabaseHealth.sample} does. */
export async function guardProblems({ connections }: JobParts, spec: JobSpec): Promise<Problem[]> {
  const limits = spec.guards.database;
  if (limits === null) return [];
  const problems: Problem[] = [];
  for (const database of new Set(spec.references.map((reference) => reference.database))) {
    const replicaLag = limits.maxReplicaLagSeconds !== null;
    const sample = await connections.health(database).sample({ replicaLag });
    problems.push(...rightProblems(database, sample, limits), ...replicaProblems(database, sample));
  }
  return problems;
}

function rightProblems(database: string, { missingRights }: HealthSample, limits: DatabaseLimits): Problem[] {
  const needed = missingRights.filter(({ measure }) => limits[LIMIT_NAMES[measure]] !== null);
  const [severity, outcome] =
    limits.onUnknown === "go"
      ? (["warning", "the job will work without it"] as const)
      : (["error", "the job will wait until it can"] as const);
  return needed.map(({ measure, server, right, grant }) => {
    const limit = `the guard ${LIMIT_NAMES[measure]} of database ${JSON.stringify(database)}`;
    const message = `${limit} cannot be read on ${server}: the account lacks the right ${right}; ${outcome}`;
    return { severity, code: "guard_unreadable", message, examples: [grant] };
  });
}

/** It may have come back by then; until it has, the job waits. */
function replicaProblems(database: string, { replica }: HealthSample): Problem[] {
  if (replica === null || replica.trouble === null) return [];
  const message = `the guard maxReplicaLagSeconds of database ${JSON.stringify(database)} would hold the job now: ${replica.trouble}`;
  return [{ severity: "warning", code: "guard_unreadable", message, examples: [] }];
}
