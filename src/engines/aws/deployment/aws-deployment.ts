/** AwsDeployment: the deployment that a store's `aws` section names. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import { parseFunctionArn } from "../../../domain/engines/aws-arns.ts";
import type { AwsSettings } from "../../../domain/engines/aws-settings.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { Clock } from "../../../ports/clock.ts";
import type {
  DeployedRelocation,
  Deployment,
  DeploymentReport,
  DeploymentStep,
  ForgetReport,
  NotifyReport,
} from "../../../ports/deployment.ts";
import { engineFault } from "../engine-faults.ts";
import { sendCanary } from "./canary-copy.ts";
import { type ObservedEngine, sendCanaryJob } from "./canary-job.ts";
import { checkEvents } from "./check-events.ts";
import { checkAccount, checkFunction } from "./check-function.ts";
import { checkManifests } from "./check-manifests.ts";
import type { CheckParts, StepResult } from "./check-parts.ts";
import { checkTable } from "./check-table.ts";
import { forgetJob } from "./forget-job.ts";
import { wireEvents } from "./wire-events.ts";

/** The clients repeat nothing by themselves (`maxAttempts: 1`), and are closed with the deployment. */
export interface DeploymentParts {
  readonly settings: AwsSettings;
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly table: DynamoDBClient;
  readonly clock: Clock;
  /** The engine of a relocation, observed. */
  engine(relocation: DeployedRelocation): ObservedEngine;
}

export class AwsDeployment implements Deployment {
  readonly #parts: DeploymentParts;

  constructor(parts: DeploymentParts) {
    this.#parts = parts;
  }

  async notify(
    { bucket, prefix }: DeployedRelocation["target"],
    { queue, apply }: { readonly queue?: string; readonly apply: boolean },
  ): Promise<NotifyReport> {
    const { s3, clock, settings } = this.#parts;
    const at = { bucket, accountId: settings.accountId };
    const wanted = { queue: queue ?? usualQueue(settings), prefix };
    try {
      return await wireEvents({ client: s3, clock }, at, wanted, apply);
    } catch (error) {
      throw engineFault(error, `wiring the events of ${bucket}`);
    }
  }

  async check(
    relocation: DeployedRelocation,
    options: { readonly batchOperations: boolean; readonly copyLog: boolean; readonly signal: AbortSignal },
  ): Promise<DeploymentReport> {
    const { copyLog, batchOperations, signal } = options;
    const parts: CheckParts = { ...this.#parts, relocation, signal };
    const run = new CheckRun(signal);
    await run.step("function", () => checkFunction(parts));
    await run.step("account", () => checkAccount(parts));
    await run.step("manifests", () => checkManifests(parts));
    if (copyLog) {
      await run.step("table", () => checkTable(parts));
      await run.step("events", () => checkEvents(parts, usualQueue(parts.settings)));
    }
    // Without function or table it could only fail again.
    if (run.ok) await run.step("canary", () => sendCanary(parts, copyLog));
    if (!run.ok || !batchOperations) return run.report(null);
    const observed = this.#parts.engine(relocation);
    await run.step("batch operations", () => sendCanaryJob(parts, observed));
    return run.report(observed.seen);
  }

  forget(
    job: { readonly id: string; readonly tokens: readonly string[] },
    options: { readonly apply: boolean; readonly signal: AbortSignal },
  ): Promise<ForgetReport> {
    return forgetJob(this.#parts, job, options);
  }

  close(): void {
    const { s3, lambda, table } = this.#parts;
    for (const client of [s3, lambda, table]) client.destroy();
  }
}

/** The steps of a check so far. */
class CheckRun {
  readonly #signal: AbortSignal;
  readonly #steps: DeploymentStep[] = [];
  readonly #findings: StepResult["findings"][] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get ok(): boolean {
    return this.#steps.every(({ ok }) => ok);
  }

  async step(name: string, work: () => Promise<StepResult>): Promise<void> {
    if (this.#signal.aborted) throw new DomainError("stopped", "the check was stopped");
    const { detail, findings } = await work();
    const ok = findings.every(({ severity }) => severity !== "error");
    this.#steps.push({ name, ok, detail });
    this.#findings.push(findings);
  }

  report(seen: DeploymentReport["seen"]): DeploymentReport {
    return { ok: this.ok, steps: this.#steps, findings: this.#findings.flat(), seen };
  }
}

/** The queue beside the copying function, as the template names both: `NAME-copy` and `NAME-copied`. */
function usualQueue({ copyFunction }: AwsSettings): string {
  const arn = parseFunctionArn(copyFunction);
  if (arn === null) throw new DomainError("config_invalid", "copyFunction is no function's ARN");
  const stack = arn.name.replace(/-copy$/, "");
  return `arn:${arn.partition}:sqs:${arn.region}:${arn.accountId}:${stack}-copied`;
}
