/** Checks how bucket B's events reach the function that takes them. */

import { type EventSourceMappingConfiguration, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import type { DeploymentFinding } from "../../../ports/deployment.ts";
import { readConfiguration } from "./bucket-notification.ts";
import { attempt, type CheckParts, error, findingOf, type StepResult, warning } from "./check-parts.ts";
import { overlap, readNotification } from "./notification-entries.ts";
import { COPY_EVENTS, planNotification } from "./plan-notification.ts";

/** Whether the bucket tells the queue, and nothing else takes its messages from the function. */
export async function checkEvents(parts: CheckParts, queue: string): Promise<StepResult> {
  const wiring = await checkWiring(parts, queue);
  const taking = await checkTaking(parts, queue);
  return {
    detail: [wiring.detail, taking.detail].filter(Boolean).join("; "),
    findings: [...wiring.findings, ...taking.findings],
  };
}

function checkWiring(parts: CheckParts, queue: string): Promise<StepResult> {
  const { s3, settings, relocation } = parts;
  const { bucket, prefix } = relocation.target;
  return attempt(
    async () => {
      const xml = await readConfiguration(s3, { bucket, accountId: settings.accountId });
      const plan = planNotification(xml, { queue, prefix });
      const findings: DeploymentFinding[] = [];
      if (plan.kind === "refused")
        findings.push(...plan.reasons.map((reason) => error("events_overlap", `${bucket}: ${reason}`)));
      if (plan.kind === "change") {
        const message = `${bucket} does not tell ${queue} of copies under ${prefix || "any prefix"}: tranship aws notify --apply`;
        findings.push(error("events_not_wired", message));
      }
      if (routesTo(xml, queue) > 1)
        findings.push(warning("events_wired_twice", `${bucket} tells ${queue} by more than one entry`));
      return { detail: `${bucket} tells ${queue}`, findings };
    },
    (thrown) =>
      findingOf(
        thrown,
        "reading the bucket's notifications",
        `s3:GetBucketNotification on arn:aws:s3:::${bucket}`,
      ),
  );
}

function routesTo(xml: string, queue: string): number {
  const any = { events: COPY_EVENTS, prefix: "", suffix: "" };
  const entries = readNotification(xml)?.entries ?? [];
  return entries.filter((entry) => entry.destination === queue && overlap(entry, any)).length;
}

function checkTaking({ lambda, signal }: CheckParts, queue: string): Promise<StepResult> {
  return attempt(
    async () => {
      const command = new ListEventSourceMappingsCommand({ EventSourceArn: queue });
      const { EventSourceMappings = [] } = await lambda.send(command, { abortSignal: signal });
      const [mapping] = EventSourceMappings;
      if (mapping === undefined) {
        const message = `no function takes the messages of ${queue}; the queue is missing, or its mapping is`;
        return { detail: "", findings: [error("events_not_taken", message)] };
      }
      return {
        detail: `${mapping.FunctionArn ?? "a function"} takes its messages`,
        findings: [...mappingFindings(mapping), ...sharingFindings(EventSourceMappings, queue)],
      };
    },
    (thrown) => findingOf(thrown, "looking for the queue's function", "lambda:ListEventSourceMappings"),
  );
}

function sharingFindings(
  mappings: readonly EventSourceMappingConfiguration[],
  queue: string,
): DeploymentFinding[] {
  if (mappings.length === 1) return [];
  const names = mappings.map(({ FunctionArn }) => FunctionArn).join(", ");
  return [error("events_wired_twice", `each message of ${queue} reaches only one of ${names}`)];
}

function mappingFindings({
  State,
  StateTransitionReason,
  FunctionResponseTypes = [],
}: EventSourceMappingConfiguration): DeploymentFinding[] {
  const findings: DeploymentFinding[] = [];
  if (State !== "Enabled" && State !== "Enabling")
    findings.push(
      error("events_disabled", `the queue's mapping is ${State}: ${StateTransitionReason ?? ""}`),
    );
  if (!FunctionResponseTypes.includes("ReportBatchItemFailures"))
    findings.push(
      error(
        "events_without_partial_answers",
        "the queue's mapping lacks ReportBatchItemFailures: failed messages would be taken for settled",
      ),
    );
  return findings;
}
