/** `deploymentTemplate`: one plain CloudFormation template for all that the AWS engines need, made for two packages. */

import type { FunctionHashes } from "../../../domain/function-package.ts";
import { attribute, ref, type Template } from "./cloudformation.ts";
import { copyLogResources } from "./template-copy-logs.ts";
import { copyVersionId, functionResources } from "./template-functions.ts";
import { CONDITIONS, PARAMETERS } from "./template-parameters.ts";
import { rightsResources } from "./template-rights.ts";

/** The template that deploys `hashes`. */
export function deploymentTemplate(hashes: FunctionHashes): Template {
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "Tranship: copies by S3 Batch Operations and Lambda",
    Parameters: PARAMETERS,
    Conditions: CONDITIONS,
    Resources: { ...functionResources(hashes), ...copyLogResources(), ...rightsResources() },
    Outputs: {
      AccountId: { Description: "accountId in the configuration", Value: ref("AWS::AccountId") },
      CopyFunction: {
        Description: "copyFunction in the configuration: the function with its version",
        Value: ref(copyVersionId(hashes)),
      },
      JobRole: { Description: "jobRole in the configuration", Value: attribute("JobRole", "Arn") },
      ManifestsBucket: { Description: "manifests.bucket", Value: ref("ManifestsBucket") },
      ManifestsPrefix: { Description: "manifests.prefix", Value: ref("ManifestsPrefix") },
      CopyLogs: { Description: "copyLogs in the configuration", Value: ref("CopyLogs") },
      CopiedQueue: {
        Description: "ARN of the queue of bucket B's events",
        Value: attribute("CopiedQueue", "Arn"),
      },
      ServicePolicy: { Description: "ARN of the service's policy", Value: ref("ServicePolicy") },
      NotifyPolicy: { Description: "ARN of the policy for tranship aws notify", Value: ref("NotifyPolicy") },
    },
  };
}
