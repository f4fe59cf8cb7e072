/** `forgetJob`: removes what is kept of a finished job: manifests, reports, and records of its objects. */

import { DeleteItemCommand, type DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import pLimit from "p-limit";
import type { AwsSettings } from "../../../domain/engines/aws-settings.ts";
import type { ForgetReport } from "../../../ports/deployment.ts";
import { engineFault } from "../engine-faults.ts";
import { codeOf } from "./check-parts.ts";
import { keysOfJob, removeKeys } from "./job-objects.ts";

const DELETIONS_AT_ONCE = 16;

export interface ForgetParts {
  readonly s3: S3Client;
  readonly table: DynamoDBClient;
  readonly settings: AwsSettings;
}

/**
 * Lists, and with `apply` removes. Only keys under the configured prefix and the job's id, and only records that still name
 * one of its consignments (`tokens`) when they are removed. Reads the whole table. Throws `invalid_input` for what is no
 * job's id, `engine_unavailable` and `engine_refused`.
 */
export async function forgetJob(
  { s3, table, settings }: ForgetParts,
  job: { readonly id: string; readonly tokens: readonly string[] },
  { apply, signal }: { readonly apply: boolean; readonly signal: AbortSignal },
): Promise<ForgetReport> {
  const keys = await keysOfJob(s3, settings, job.id, signal);
  const records = await recordsOf(table, settings, new Set(job.tokens), signal);
  if (apply) {
    // The records first: without the manifests their objects could be named no more.
    await removeRecords(table, settings, records ?? [], signal);
    await removeKeys(s3, settings, keys, signal);
  }
  const { bucket } = settings.manifests;
  return { jobId: job.id, bucket, keys, records: records?.length ?? null, removed: apply };
}

interface RecordKey {
  readonly key: string;
  /** Token of the consignment. */
  readonly token: string;
}

/** Null: there is no table. */
async function recordsOf(
  table: DynamoDBClient,
  { copyLogs }: AwsSettings,
  tokens: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<RecordKey[] | null> {
  const found: RecordKey[] = [];
  let start: ScanCommand["input"]["ExclusiveStartKey"];
  do {
    const command = new ScanCommand({
      TableName: copyLogs,
      ProjectionExpression: "#k, #j",
      ExpressionAttributeNames: { "#k": "Key", "#j": "Job" },
      ConsistentRead: true,
      ExclusiveStartKey: start,
    });
    try {
      const page = await table.send(command, { abortSignal: signal });
      for (const { Key, Job } of page.Items ?? []) {
        if (Key?.S !== undefined && Job?.S !== undefined && tokens.has(Job.S))
          found.push({ key: Key.S, token: Job.S });
      }
      start = page.LastEvaluatedKey;
    } catch (thrown) {
      if (codeOf(thrown) === "ResourceNotFoundException") return null;
      throw engineFault(thrown, `reading ${copyLogs}`);
    }
  } while (start !== undefined);
  return found;
}

async function removeRecords(
  table: DynamoDBClient,
  { copyLogs }: AwsSettings,
  records: readonly RecordKey[],
  signal: AbortSignal,
): Promise<void> {
  await pLimit(DELETIONS_AT_ONCE).map(records, async ({ key, token }) => {
    const command = new DeleteItemCommand({
      TableName: copyLogs,
      Key: { Key: { S: key } },
      // Another job may have taken the key since.
      ConditionExpression: "#j = :j",
      ExpressionAttributeNames: { "#j": "Job" },
      ExpressionAttributeValues: { ":j": { S: token } },
    });
    try {
      await table.send(command, { abortSignal: signal });
    } catch (thrown) {
      if (codeOf(thrown) !== "ConditionalCheckFailedException")
        throw engineFault(thrown, `removing a record of ${copyLogs}`);
    }
  });
}
