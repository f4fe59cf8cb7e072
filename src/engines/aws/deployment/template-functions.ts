/** The two functions, their logs, and the version of the first one that jobs are pinned to. */

import {
  type FunctionEntry,
  type FunctionHashes,
  packageFile,
  shortHash,
} from "../../../domain/function-package.ts";
import { attribute, type Json, type Resource, ref, sub, when } from "./cloudformation.ts";

/** Seconds after which Lambda ends an invocation; no copy begins later than this after a job has ended. */
export const COPY_TIMEOUT_SECONDS = 60;
export const EVENT_TIMEOUT_SECONDS = 60;

/** Logical id of the version: it changes with the code, since CloudFormation publishes a version only for a new resource. */
export function copyVersionId(hashes: FunctionHashes): string {
  return `CopyVersion${shortHash(hashes["copy-object"].sha256)}`;
}

/** Both functions with their log groups. */
export function functionResources(hashes: FunctionHashes): Readonly<Record<string, Resource>> {
  return {
    CopyLogGroup: logGroup("copy"),
    LandedLogGroup: logGroup("landed"),
    CopyFunction: functionOf("copy", "copy-object", hashes, {
      Description: "Tranship: copies objects for S3 Batch Operations",
      Role: attribute("CopyRole", "Arn"),
      Timeout: COPY_TIMEOUT_SECONDS,
      LoggingConfig: logging("CopyLogGroup"),
      ReservedConcurrentExecutions: when("ReservesConcurrency", ref("CopyConcurrency")),
      Environment: { Variables: DATABASE },
      VpcConfig: VPC,
    }),
    [copyVersionId(hashes)]: {
      Type: "AWS::Lambda::Version",
      // Jobs under way are pinned to the version that they began with.
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        FunctionName: ref("CopyFunction"),
        CodeSha256: hashes["copy-object"].sha256,
        Description: ref("Revision"),
      },
    },
    LandedFunction: functionOf("landed", "object-landed", hashes, {
      Description: "Tranship: flags records of copies by the events of bucket B",
      Role: attribute("LandedRole", "Arn"),
      Timeout: EVENT_TIMEOUT_SECONDS,
      LoggingConfig: logging("LandedLogGroup"),
      Environment: {
        Variables: {
          TRANSHIP_COPY_LOGS: ref("CopyLogsTable"),
          TRANSHIP_TARGET_BUCKETS: ref("TargetBucket"),
          TRANSHIP_COPY_ROLE_ID: attribute("CopyRole", "RoleId"),
          ...DATABASE,
        },
      },
      VpcConfig: VPC,
    }),
  };
}

/** CloudFormation puts the secret's text in, so the functions need no right and no request for it. */
const DATABASE = {
  TRANSHIP_DATABASE: when("HasDatabaseSecret", ref("DatabaseName")),
  TRANSHIP_DATABASE_URL: when(
    "HasDatabaseSecret",
    sub`{{resolve:secretsmanager:${ref("DatabaseSecret")}:SecretString}}`,
  ),
};

const VPC = when("InVpc", { SubnetIds: ref("SubnetIds"), SecurityGroupIds: ref("SecurityGroupIds") });

function functionOf(
  name: string,
  entry: FunctionEntry,
  hashes: FunctionHashes,
  properties: Resource["Properties"],
): Resource {
  const file = packageFile(entry, hashes[entry].sha256);
  return {
    Type: "AWS::Lambda::Function",
    Properties: {
      FunctionName: sub`${ref("AWS::StackName")}-${name}`,
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: `${entry}.handler`,
      MemorySize: 256,
      Code: { S3Bucket: ref("CodeBucket"), S3Key: sub`${ref("CodePrefix")}${file}` },
      ...properties,
    },
  };
}

function logGroup(name: string): Resource {
  return {
    Type: "AWS::Logs::LogGroup",
    DeletionPolicy: "Delete",
    UpdateReplacePolicy: "Delete",
    Properties: {
      LogGroupName: sub`/aws/lambda/${ref("AWS::StackName")}-${name}`,
      RetentionInDays: ref("LogRetentionDays"),
    },
  };
}

/** Without the system's lines for the beginning and end of each invocation, which cost more than the function's own. */
function logging(logGroupId: string): Json {
  return {
    LogFormat: "JSON",
    SystemLogLevel: "WARN",
    ApplicationLogLevel: "INFO",
    LogGroup: ref(logGroupId),
  };
}
