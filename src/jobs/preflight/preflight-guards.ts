/** `guardProblems`: limits of database guards whose values the account may not read, or whose server does not answer. */

import type { DatabaseLimits, JobSpec } from "../../domain/job-spec.ts";
import { LIMIT_NAMES } from "../../pacing/database/database-guard.ts";
import type { HealthSample } from "../../ports/database-health.ts";
import type { JobParts } from "../job-parts.ts";
import type { PreflightProblem } from "./preflight-report.ts";

/** Reads once, on every database of the job, the values that its guards will read. Throws as {@link DatabaseHealth.sample} does. */
export async function guardProblems({ connections }: JobParts, spec: JobSpec): Promise<PreflightProblem[]> {
  const limits = spec.guards.database;
  if (limits === null) return [];
  const problems: PreflightProblem[] = [];
  for (const database of new Set(spec.references.map((reference) => reference.database))) {
    const replicaLag = limits.maxReplicaLagSeconds !== null;
    const sample = await connections.health(database).sample({ replicaLag });
    problems.push(...rightProblems(database, sample, limits), ...replicaProblems(database, sample));
  }
  return problems;
}

function rightProblems(
  database: string,
  { missingRights }: HealthSample,
  limits: DatabaseLimits,
): PreflightProblem[] {
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

/** A warning only: the replica may recover before the job runs; until then the job waits. */
function replicaProblems(database: string, { replica }: HealthSample): PreflightProblem[] {
  if (replica === null || replica.trouble === null) return [];
  const message = `the guard maxReplicaLagSeconds of database ${JSON.stringify(database)} would hold the job now: ${replica.trouble}`;
  return [{ severity: "warning", code: "guard_unreadable", message, examples: [] }];
}
