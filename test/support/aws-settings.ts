/** Settings of engines on AWS as the tests give them. */

import type { AwsSettings } from "../../src/domain/engines/aws-settings.ts";

/** The section `aws` of a store's configuration, with all that an engine needs. */
export const AWS_SECTION = {
  accountId: "123456789012",
  copyFunction: "arn:aws:lambda:us-east-1:123456789012:function:tranship-copy:7",
  jobRole: "arn:aws:iam::123456789012:role/tranship-batch",
  manifests: { bucket: "ops", prefix: "tranship/" },
};

/** What an engine is given of it. */
export const AWS_SETTINGS: AwsSettings = {
  ...AWS_SECTION,
  region: "us-east-1",
  copyLogs: "Copy_Logs",
  functionTimeoutMs: 60_000,
  endpoints: {},
};
