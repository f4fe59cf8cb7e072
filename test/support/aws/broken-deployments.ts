/** Deployments with one fault each, and what a check says of it. */

import type { AwsSettings } from "../../../src/domain/engines/aws-settings.ts";
import { type Deployed, QUEUE } from "./usual-deployment.ts";

const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
/** An entry of a notification configuration for one event of all keys. */
export const entry = (id: string, event: string, queue: string) =>
  `<QueueConfiguration><Id>${id}</Id><Queue>${queue}</Queue><Event>${event}</Event></QueueConfiguration>`;
/** A notification configuration. */
export const configured = (...entries: readonly string[]) =>
  `<NotificationConfiguration ${NS}>${entries.join("")}</NotificationConfiguration>`;

const kms = JSON.stringify({
  Statement: [
    {
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: "*",
      Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
    },
  ],
});
const withSettings = (parts: Partial<AwsSettings>) => (deployed: Deployed) =>
  Object.assign(deployed, { settings: { ...deployed.settings, ...parts } });
const versionless = "arn:aws:lambda:eu-central-1:123456789012:function:tranship-copy";
const answer = (resultCode: string, resultString: string) =>
  JSON.stringify({ results: [{ taskId: "1", resultCode, resultString }] });
const second = {
  FunctionArn: "arn:second",
  State: "Enabled",
  FunctionResponseTypes: ["ReportBatchItemFailures"],
};

/** Name, what is broken, the finding and a part of its message. */
export const BROKEN: readonly [string, (deployed: Deployed) => unknown, string, string][] = [
  ["no function", (d) => Object.assign(d, { configuration: null }), "function_missing", "is not there"],
  [
    "no version",
    withSettings({ copyFunction: versionless }),
    "function_without_version",
    "a version's number",
  ],
  [
    "a function that lasts too long",
    (d) => Object.assign(d, { configuration: { State: "Active", Timeout: 900 } }),
    "function_timeout",
    "functionTimeoutSeconds",
  ],
  [
    "a function that is not ready",
    (d) => Object.assign(d, { configuration: { State: "Failed", StateReason: "no subnet", Timeout: 60 } }),
    "function_not_ready",
    "no subnet",
  ],
  [
    "a function that does not know the format",
    (d) => Object.assign(d, { answer: answer("PermanentFailure", "terms of version 1 are not understood") }),
    "function_too_old",
    "deploy its package again",
  ],
  [
    "another function",
    (d) => Object.assign(d, { answer: '"hello"' }),
    "function_foreign",
    "no answer of the copying function",
  ],
  [
    "a role that may not copy",
    (d) =>
      Object.assign(d, {
        answer: answer("Succeeded", '{"kind":"failed","code":"access_denied","message":"no"}'),
      }),
    "right_missing",
    "s3:PutObject and s3:PutObjectTagging on the target",
  ],
  [
    "a function that says what is not so",
    (d) => Object.assign(d, { answer: answer("Succeeded", '{"kind":"copied","etag":"1"}') }),
    "canary_not_copied",
    "there is no copy of it",
  ],
  ["no table", withSettings({ copyLogs: "Other" }), "table_missing", "there is no table Other"],
  [
    "a bucket of manifests elsewhere",
    (d) => Object.assign(d, { manifestsRegion: "us-east-1" }),
    "manifests_region",
    "us-east-1",
  ],
  [
    "no bucket of manifests",
    withSettings({ manifests: { bucket: "none", prefix: "" } }),
    "manifests_missing",
    "none",
  ],
  [
    "a bucket of manifests of others",
    (d) => d.refused.set("HEAD ops", 403),
    "manifests_denied",
    "s3:ListBucket",
  ],
  [
    "manifests that may not be written",
    (d) => d.refused.set("PUT ops/", 403),
    "right_missing",
    "s3:PutObject on arn:aws:s3:::ops/tranship/*",
  ],
  [
    "a policy that demands KMS",
    (d) => Object.assign(d, { policy: kms }),
    "manifests_demand_kms",
    "exempt tranship/*",
  ],
  [
    "no wiring",
    (d) => Object.assign(d, { notification: "" }),
    "events_not_wired",
    "tranship aws notify --apply",
  ],
  [
    "an entry in the way",
    (d) => Object.assign(d, { notification: configured(entry("theirs", "s3:ObjectCreated:*", "arn:other")) }),
    "events_overlap",
    "entry theirs tells arn:other",
  ],
  [
    "no right to see notifications",
    (d) => d.refused.set("GET bucket-b?notification", 403),
    "right_missing",
    "s3:GetBucketNotification",
  ],
  ["no function behind the queue", (d) => Object.assign(d, { mappings: [] }), "events_not_taken", QUEUE],
  [
    "two functions behind the queue",
    (d) => Object.assign(d, { mappings: [...d.mappings, second] }),
    "events_wired_twice",
    "arn:second",
  ],
  [
    "a mapping that is switched off",
    (d) => Object.assign(d, { mappings: [{ ...second, State: "Disabled" }] }),
    "events_disabled",
    "Disabled",
  ],
  [
    "a mapping without partial answers",
    (d) => Object.assign(d, { mappings: [{ ...second, FunctionResponseTypes: [] }] }),
    "events_without_partial_answers",
    "ReportBatchItemFailures",
  ],
  [
    "no right to write a canary",
    (d) => d.refused.set("PUT bucket-a/", 403),
    "right_missing",
    "s3:PutObject on arn:aws:s3:::bucket-a/image/*",
  ],
];
