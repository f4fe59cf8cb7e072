/** Copies a canary object through the function, the event and the table. */

import { InvokeCommand } from "@aws-sdk/client-lambda";
import type { DeploymentFinding } from "../../../ports/deployment.ts";
import { placeName } from "../copy-log-records.ts";
import { CopyLogs } from "../copy-logs.ts";
import { encodeTask } from "../copy-task.ts";
import { decodeOutcome } from "../task-outcome.ts";
import { encodeTerms } from "../user-arguments.ts";
import { type CanaryObject, copyOf, removeCanary, writeCanary } from "./canary-object.ts";
import { attempt, type CheckParts, error, findingOf, type StepResult } from "./check-parts.ts";

/** A copy of a canary that begins later than this is of no use, ms. */
const CANARY_MS = 60_000;
const EVENT_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;
const TABLE_MS = 10_000;

/** With `copyLog` the function makes a record, and the event must flag it. */
export async function sendCanary(parts: CheckParts, copyLog: boolean): Promise<StepResult> {
  const canary = await writeCanary(parts);
  if ("severity" in canary) return { detail: "", findings: [canary] };
  const logs = copyLog ? logsOf(parts) : null;
  const result = await copyCanary(parts, canary, logs);
  const left = await removeCanary(parts, canary);
  const records = await attempt(
    async () => {
      await logs?.remove([canary.target]);
      return { detail: "", findings: [] };
    },
    (thrown) =>
      findingOf(thrown, "removing a canary's record", `dynamodb:BatchWriteItem on ${tableOf(parts)}`),
  );
  return { detail: result.detail, findings: [...result.findings, ...left, ...records.findings] };
}

async function copyCanary(
  parts: CheckParts,
  canary: CanaryObject,
  logs: CopyLogs | null,
): Promise<StepResult> {
  const fault = await attempt(
    async () => {
      const finding = await invoke(parts, canary, logs !== null);
      return { detail: "", findings: finding === null ? [] : [finding] };
    },
    (thrown) =>
      findingOf(thrown, "invoking the function", `lambda:InvokeFunction on ${parts.settings.copyFunction}`),
  );
  if (fault.findings.length > 0) return fault;
  const copied = await attempt(
    async () => {
      const etag = await copyOf(parts.s3, canary);
      const message = "the function says that it copied the canary, and there is no copy of it";
      return {
        detail: "",
        findings: etag === canary.source.etag ? [] : [error("canary_not_copied", message)],
      };
    },
    (thrown) => findingOf(thrown, "reading the copy", `s3:GetObject on ${placeName(canary.target)}`),
  );
  if (copied.findings.length > 0) return copied;
  return logs === null ? { detail: "copied", findings: [] } : awaitEvent(parts, canary, logs);
}

/** Invokes the function as S3 Batch Operations does, with one task. */
async function invoke(
  { lambda, settings, relocation, clock, signal }: CheckParts,
  { source }: CanaryObject,
  copyLog: boolean,
): Promise<DeploymentFinding | null> {
  const terms = encodeTerms({
    token: `canary-${crypto.randomUUID()}`,
    sourceBucket: relocation.source.bucket,
    sourcePrefix: relocation.source.prefix,
    targetBucket: relocation.target.bucket,
    targetPrefix: relocation.target.prefix,
    notAfter: clock.now() + CANARY_MS,
    leastMs: 0,
    copyLogs: copyLog ? settings.copyLogs : null,
    updates: null,
  });
  const task = { ...source, number: 1, storageClass: null, replacing: null };
  const event = {
    invocationSchemaVersion: "2.0",
    invocationId: crypto.randomUUID(),
    job: { id: "canary", userArguments: terms },
    tasks: [{ taskId: "1", s3Key: encodeTask(task), s3VersionId: null, s3Bucket: source.bucket }],
  };
  const command = new InvokeCommand({
    FunctionName: settings.copyFunction,
    Payload: Buffer.from(JSON.stringify(event)),
  });
  const { FunctionError, Payload } = await lambda.send(command, { abortSignal: signal });
  const text = Buffer.from(Payload ?? []).toString();
  return FunctionError === undefined
    ? findingOfAnswer(text)
    : error("function_failed", `the function failed (${FunctionError}): ${text.slice(0, 500)}`);
}

/** What the function's answer means; null: the canary was copied. */
function findingOfAnswer(text: string): DeploymentFinding | null {
  const answer = parsed(text);
  const [result] = answer?.results ?? [];
  const { resultCode, resultString = "" } = result ?? {};
  if (resultCode === undefined)
    return error("function_foreign", `this is no answer of the copying function: ${text.slice(0, 200)}`);
  if (resultCode === "PermanentFailure")
    return error(
      "function_too_old",
      `the function does not understand this version's tasks (${resultString}): deploy its package again, and take the new CopyFunction`,
    );
  if (resultCode !== "Succeeded") return error("canary_not_copied", `the function answers: ${resultString}`);
  const outcome = decodeOutcome(resultString);
  if (outcome?.kind === "copied") return null;
  if (outcome?.kind === "failed" && outcome.code === "access_denied")
    return error(
      "right_missing",
      `the function's role may not copy: s3:GetObject and s3:GetObjectTagging on the source, s3:PutObject and s3:PutObjectTagging on the target, or a KMS key (${outcome.message})`,
    );
  return error("canary_not_copied", `the function answers: ${resultString}`);
}

function parsed(text: string) {
  try {
    return JSON.parse(text) as {
      readonly results?: readonly { readonly resultCode?: string; readonly resultString?: string }[];
    } | null;
  } catch {
    return null;
  }
}

async function awaitEvent(parts: CheckParts, { target }: CanaryObject, logs: CopyLogs): Promise<StepResult> {
  const { clock, signal } = parts;
  const began = clock.monotonic();
  return attempt(
    async () => {
      while (!(await logs.flagged([target], signal)).has(placeName(target))) {
        if (clock.monotonic() - began > EVENT_MS) {
          const message = `no event of the copy has flagged its record within ${EVENT_MS / 1000} s: look at the log of the function that takes events, and at the dead letters. Jobs end the same, later`;
          return { detail: "copied", findings: [error("event_missing", message)] };
        }
        await clock.sleep(LOOK_AGAIN_MS, signal);
      }
      const seconds = ((clock.monotonic() - began) / 1000).toFixed(1);
      return { detail: `copied; its event came after ${seconds} s`, findings: [] };
    },
    (thrown) => findingOf(thrown, "reading the record", `dynamodb:BatchGetItem on ${tableOf(parts)}`),
  );
}

function logsOf({ table, settings, clock }: CheckParts): CopyLogs {
  return new CopyLogs(table, settings.copyLogs, { clock, mostMs: TABLE_MS });
}

function tableOf({ settings }: CheckParts): string {
  return `arn:aws:dynamodb:${settings.region}:${settings.accountId}:table/${settings.copyLogs}`;
}
