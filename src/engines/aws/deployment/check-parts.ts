/** What the steps of a check share: clients, settings, and how an error of AWS becomes a finding. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import type { AwsSettings } from "../../../domain/engines/aws-settings.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { DeployedRelocation, DeploymentFinding } from "../../../ports/deployment.ts";
import { engineFault, vendorCode } from "../engine-faults.ts";

/** The clients repeat nothing by themselves (`maxAttempts: 1`). */
export interface CheckParts {
  readonly settings: AwsSettings;
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly table: DynamoDBClient;
  readonly clock: Clock;
  readonly relocation: DeployedRelocation;
  readonly signal: AbortSignal;
}

/** What a step found; `detail` says what it proved. */
export interface StepResult {
  readonly detail: string;
  readonly findings: readonly DeploymentFinding[];
}

/** Codes of AWS's services for a right that is missing. */
const DENIED: ReadonlySet<string> = new Set(["AccessDenied", "AccessDeniedException", "403", "Forbidden"]);

export function error(code: string, message: string): DeploymentFinding {
  return { severity: "error", code, message };
}

export function warning(code: string, message: string): DeploymentFinding {
  return { severity: "warning", code, message };
}

/** The code that AWS gave with `thrown`; a HEAD has only its status. */
export function codeOf(thrown: unknown): string {
  const code = vendorCode(engineFault(thrown, "")) ?? "";
  const status = (thrown as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata;
  return /^(Unknown|UnknownError|\d+)$/.test(code) ? String(status?.httpStatusCode ?? code) : code;
}

/**
 * The finding for an error: which right is missing, or what `known` says about its code, or what AWS said. `right` is the
 * action and the resource that the request needed.
 */
export function findingOf(
  thrown: unknown,
  doing: string,
  right: string,
  known: Readonly<Record<string, DeploymentFinding>> = {},
): DeploymentFinding {
  const code = codeOf(thrown);
  const finding = known[code];
  if (finding !== undefined) return finding;
  if (DENIED.has(code)) return error("right_missing", `the service has no right ${right}`);
  const fault = engineFault(thrown, doing);
  return error(fault.code, fault.message);
}

/** Runs a step's request; an error becomes its only finding. */
export async function attempt(
  work: () => Promise<StepResult>,
  asFinding: (thrown: unknown) => DeploymentFinding,
): Promise<StepResult> {
  try {
    return await work();
  } catch (thrown) {
    return { detail: "", findings: [asFinding(thrown)] };
  }
}
