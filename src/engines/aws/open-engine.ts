/** Opens an engine on AWS for one job. */

import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import type { AwsSettings } from "../../domain/engines/aws-settings.ts";
import { rowUpdatesOf } from "../../domain/engines/row-updates.ts";
import type { AwsEngineName, JobSpec } from "../../domain/job-spec.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConsignmentEngine } from "../../ports/consignment-engine.ts";
import { openControlClient } from "./control-client.ts";
import { CopyLogEngine } from "./copy-log-engine.ts";
import { CopyLogs } from "./copy-logs.ts";
import { LambdaEngine } from "./lambda-engine.ts";
import { openTableClient } from "./table-client.ts";

/** Without an answer of the table for this long the engine counts as unavailable. */
const TABLE_PATIENCE_MS = 30_000;

export interface EngineParts {
  /** Of the job's store; it retries nothing by itself. */
  readonly s3: S3Client;
  /** Those of the store; undefined: the SDK's standard chain. */
  readonly credentials: S3ClientConfig["credentials"];
  readonly clock: Clock;
}

/** The engine `name` for the job of `spec` under the operator's `settings`. */
export function openEngine(
  name: AwsEngineName,
  { s3, credentials, clock }: EngineParts,
  { spec, settings }: { readonly spec: JobSpec; readonly settings: AwsSettings },
): ConsignmentEngine {
  const { region, endpoints, copyLogs } = settings;
  const access = { region, ...(credentials === undefined ? {} : { credentials }) };
  const at = (endpoint: string | undefined) => (endpoint === undefined ? access : { ...access, endpoint });
  const hasLog = name === "lambda-copy-log";
  const updates = rowUpdatesOf(spec);
  const terms = {
    sourceBucket: spec.source.bucket,
    sourcePrefix: spec.source.prefix,
    targetBucket: spec.target.bucket,
    targetPrefix: spec.target.prefix,
    copyLogs: hasLog ? copyLogs : null,
  };
  const engine = new LambdaEngine({
    ...{ s3, clock, settings },
    control: openControlClient(at(endpoints.s3control)),
    // With a log the function that takes the events updates rows, and finds its terms in the table.
    terms: { ...terms, updates: hasLog ? null : updates },
  });
  if (!hasLog) return engine;
  const table = openTableClient(at(endpoints.dynamodb));
  const logs = new CopyLogs(table, copyLogs, { clock, mostMs: TABLE_PATIENCE_MS });
  return new CopyLogEngine(engine, logs, updates === null ? null : { logs, terms: { ...terms, updates } });
}
