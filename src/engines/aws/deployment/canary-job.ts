/** Copies a canary by a real job of S3 Batch Operations, and keeps what was seen of it. */

import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { AwsSettings } from "../../../domain/engines/aws-settings.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { ConsignmentEngine, ConsignmentOrder } from "../../../ports/consignment-engine.ts";
import type { NumberedCopy } from "../../../ports/copy-engine.ts";
import type { DeploymentFinding, SeenExchange } from "../../../ports/deployment.ts";
import type { CopyResult } from "../../../ports/object-store.ts";
import { type CanaryObject, copyOf, removeCanary, writeCanary } from "./canary-object.ts";
import { attempt, type CheckParts, error, findingOf, type StepResult } from "./check-parts.ts";
import { keysOfJob, removeKeys } from "./job-objects.ts";

/** Longer than any job of one object was seen to be prepared and reported. */
const MOST_MS = 3_600_000;

/** The engine of the deployment, whose exchanges with S3 Batch Operations are added to `seen`. */
export interface ObservedEngine {
  readonly engine: ConsignmentEngine;
  readonly seen: SeenExchange[];
}

/** Costs a job's fee. */
export async function sendCanaryJob(
  parts: CheckParts,
  { engine, seen }: ObservedEngine,
): Promise<StepResult> {
  const canary = await writeCanary(parts);
  if ("severity" in canary) return { detail: "", findings: [canary] };
  const jobId = `check-${crypto.randomUUID()}`;
  const result = await attempt(
    () => carry(parts, engine, canary, jobId),
    (thrown) =>
      findingOf(
        thrown,
        "running a job of one object",
        "s3:CreateJob, or iam:PassRole on the job role without a condition on iam:PassedToService",
      ),
  );
  const kept = await attempt(
    async () => {
      const keys = await keysOfJob(parts.s3, parts.settings, jobId, parts.signal);
      for (const key of keys) seen.push(await textOf(parts.s3, parts.settings, key));
      await removeKeys(parts.s3, parts.settings, keys, parts.signal);
      return { detail: "", findings: [] };
    },
    (thrown) =>
      findingOf(thrown, "reading what the job has left", "s3:GetObject and s3:DeleteObject on its files"),
  );
  const left = await removeCanary(parts, canary);
  return { detail: result.detail, findings: [...result.findings, ...kept.findings, ...left] };
}

async function carry(
  { clock, s3, signal }: CheckParts,
  engine: ConsignmentEngine,
  canary: CanaryObject,
  jobId: string,
): Promise<StepResult> {
  const began = clock.monotonic();
  const copy: NumberedCopy = { number: 1, request: { ...canary, storageClass: null, onlyIfAbsent: true } };
  const results: CopyResult[] = [];
  const end = await engine.carry(
    orderOf(copy, jobId),
    (_, result) => void results.push(result),
    AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]),
  );
  const seconds = Math.round((clock.monotonic() - began) / 1000);
  const detail = `a job of one object took ${seconds} s`;
  if (end.kind !== "ended")
    return {
      detail,
      findings: [error("job_broken", end.kind === "broken" ? end.reason : "it was recalled")],
    };
  return { detail, findings: await findingsOf(results, s3, canary) };
}

async function findingsOf(
  [result]: readonly CopyResult[],
  s3: S3Client,
  canary: CanaryObject,
): Promise<DeploymentFinding[]> {
  const isCopied = (await copyOf(s3, canary)) === canary.source.etag;
  if (result === undefined) {
    const message = `the job has ended and no report tells of its object, which was ${isCopied ? "" : "not "}copied: the job role needs s3:PutObject on the reports, and the bucket's policy must not demand KMS`;
    return [error("report_missing", message)];
  }
  if (result.kind === "failed") return [error(result.failure.code, result.failure.message)];
  return result.kind === "copied" && isCopied
    ? []
    : [
        error(
          "canary_not_copied",
          `the report says ${result.kind}, and the object was ${isCopied ? "" : "not "}copied`,
        ),
      ];
}

function orderOf(copy: NumberedCopy, jobId: string): ConsignmentOrder {
  return {
    consignment: {
      jobId,
      id: 1,
      token: crypto.randomUUID(),
      objects: 1,
      notAfter: null,
      progress: null,
    },
    limits: { concurrency: 1, requestsPerSecond: null },
    async *copies() {
      yield copy;
    },
    save: async () => {},
    onWait: () => {},
    onProgress: () => {},
    recall: new AbortController().signal,
  };
}

async function textOf(s3: S3Client, { manifests }: AwsSettings, key: string): Promise<SeenExchange> {
  const input = { Bucket: manifests.bucket, Key: key };
  const { Body, ETag, ServerSideEncryption } = await s3.send(new GetObjectCommand(input));
  if (Body === undefined) throw new DomainError("engine_unavailable", `${key} has no body`);
  const output = { ETag, ServerSideEncryption, text: await Body.transformToString() };
  return { operation: "s3:GetObject", input, status: 200, output };
}
