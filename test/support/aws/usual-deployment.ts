/** What a test deployment consists of when nothing is wrong with it. */

import type { AwsSettings } from "../../../src/domain/engines/aws-settings.ts";

export const ACCOUNT = "123456789012";
export const REGION = "eu-central-1";
export const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:tranship-copied`;
/** Buckets and prefixes of a job. */
export const RELOCATION = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};

/** What is deployed, free to be changed by a test. */
export interface Deployed {
  /** Of bucket B, as S3 holds it. */
  notification: string;
  /** Of the bucket of manifests; null: none. */
  policy: string | null;
  manifestsRegion: string;
  /** `GET bucket?notification` and the like, by method, bucket and query, that are refused with this status. */
  readonly refused: Map<string, number>;
  configuration: Record<string, unknown> | null;
  accountLimit: number;
  mappings: Record<string, unknown>[];
  /** Whether events reach the table. */
  eventsArrive: boolean;
  /** What S3 keeps of a notification configuration that is written. */
  kept: (written: string) => string;
  /** Takes the place of the function's answer; null: it copies. */
  answer: string | null;
  settings: AwsSettings;
}

export function usualDeployment(): Deployed {
  return {
    notification: "",
    policy: null,
    manifestsRegion: REGION,
    refused: new Map(),
    configuration: { State: "Active", Timeout: 60, Runtime: "nodejs24.x" },
    accountLimit: 1000,
    mappings: [
      {
        FunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:tranship-landed`,
        State: "Enabled",
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      },
    ],
    eventsArrive: true,
    kept: (written) => written,
    answer: null,
    settings: {
      accountId: ACCOUNT,
      region: REGION,
      copyFunction: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:tranship-copy:7`,
      jobRole: `arn:aws:iam::${ACCOUNT}:role/tranship-JobRole`,
      manifests: { bucket: "ops", prefix: "tranship/" },
      copyLogs: "Copy_Logs",
      functionTimeoutMs: 60_000,
      endpoints: {},
    },
  };
}
