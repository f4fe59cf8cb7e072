/** Roles of Batch Operations jobs and of both functions, and the policies for the service and for wiring events. */

import { allow, attribute, type Json, policy, type Resource, ref, sub, when } from "./cloudformation.ts";

const SOURCE = sub`arn:${ref("AWS::Partition")}:s3:::${ref("SourceBucket")}`;
const SOURCE_OBJECTS = sub`arn:${ref("AWS::Partition")}:s3:::${ref("SourceBucket")}/${ref("SourcePrefix")}*`;
const TARGET = sub`arn:${ref("AWS::Partition")}:s3:::${ref("TargetBucket")}`;
const TARGET_OBJECTS = sub`arn:${ref("AWS::Partition")}:s3:::${ref("TargetBucket")}/${ref("TargetPrefix")}*`;
const MANIFESTS = sub`arn:${ref("AWS::Partition")}:s3:::${ref("ManifestsBucket")}`;
const inManifests = (rest: string) =>
  sub`arn:${ref("AWS::Partition")}:s3:::${ref("ManifestsBucket")}/${ref("ManifestsPrefix")}${rest}`;
const TABLE = attribute("CopyLogs", "Arn");
/** Of every version: jobs under way are pinned to one that a newer stack no longer names. */
const COPY_VERSIONS = sub`${attribute("CopyFunction", "Arn")}:*`;

/** No role here may delete an object: only the service does. */
export function rightsResources(): Readonly<Record<string, Resource>> {
  return {
    JobRole: role("batchoperations.s3.amazonaws.com", "Batch Operations jobs of Tranship", [
      allow("ReadManifests", ["s3:GetObject"], [inManifests("*/manifest.csv")]),
      allow("WriteReports", ["s3:PutObject"], [inManifests("*/job-*/*")]),
      allow("InvokeCopyFunction", ["lambda:InvokeFunction"], [COPY_VERSIONS]),
    ]),
    CopyRole: role("lambda.amazonaws.com", "The function of Tranship that copies objects", [
      allow("ReadSource", ["s3:GetObject", "s3:GetObjectTagging"], [SOURCE_OBJECTS]),
      // The copy's own right, and the look at the target after an answer that was lost.
      allow("WriteTarget", ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"], [TARGET_OBJECTS]),
      // Without it S3 answers 403 for an object that is not there.
      allow("TellMissing", ["s3:ListBucket"], [SOURCE, TARGET]),
      allow("Record", ["dynamodb:UpdateItem"], [TABLE]),
      ...keyStatements(),
      ...functionStatements("CopyLogGroup"),
    ]),
    LandedRole: role("lambda.amazonaws.com", "The function of Tranship that takes events", [
      allow(
        "TakeEvents",
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        [attribute("CopiedQueue", "Arn")],
      ),
      allow("Flag", ["dynamodb:UpdateItem"], [TABLE]),
      // By them it updates rows.
      allow("ReadTerms", ["dynamodb:GetItem"], [TABLE]),
      ...functionStatements("LandedLogGroup"),
    ]),
    ServicePolicy: managedPolicy("What the service of Tranship may do", serviceStatements()),
    NotifyPolicy: {
      Type: "AWS::IAM::ManagedPolicy",
      Properties: {
        Description: "What tranship aws notify --apply needs besides ServicePolicy",
        PolicyDocument: policy([allow("WireEvents", ["s3:PutBucketNotification"], [TARGET])]),
      },
    },
  };
}

function serviceStatements(): Json[] {
  return [
    allow(
      "LookAtBuckets",
      ["s3:ListBucket", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration"],
      [SOURCE, TARGET],
    ),
    allow(
      "MoveSource",
      [
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectAcl",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
      ],
      [SOURCE_OBJECTS],
    ),
    allow("LookAtVersions", ["s3:ListBucketVersions"], [SOURCE]),
    allow(
      "WriteTarget",
      ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:DeleteObject"],
      [TARGET_OBJECTS],
    ),
    allow("LookAtTarget", ["s3:ListBucketMultipartUploads", "s3:GetBucketNotification"], [TARGET]),
    allow("LookAtManifests", ["s3:ListBucket", "s3:GetBucketPolicy"], [MANIFESTS]),
    allow(
      "KeepManifests",
      ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
      [inManifests("*")],
    ),
    // CreateJob is not authorised for a resource; the operation is what can be bounded.
    allow("CreateJobs", ["s3:CreateJob"], ["*"], {
      StringEquals: { "s3:RequestJobOperation": "LambdaInvoke" },
    }),
    allow("FindJobs", ["s3:ListJobs"], ["*"]),
    allow(
      "FollowJobs",
      ["s3:DescribeJob", "s3:UpdateJobStatus"],
      [sub`arn:${ref("AWS::Partition")}:s3:${ref("AWS::Region")}:${ref("AWS::AccountId")}:job/*`],
    ),
    // Without a condition on iam:PassedToService, which CreateJob does not fill.
    allow("PassJobRole", ["iam:PassRole"], [attribute("JobRole", "Arn")]),
    allow("LookAtFunction", ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], [COPY_VERSIONS]),
    allow("LookAtAccount", ["lambda:GetAccountSettings", "lambda:ListEventSourceMappings"], ["*"]),
    allow(
      "UseCopyLogs",
      [
        "dynamodb:DescribeTable",
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:Scan",
        "dynamodb:DeleteItem",
      ],
      [TABLE],
    ),
    ...keyStatements(),
  ];
}

/** Of the keys that encrypt the buckets. */
function keyStatements(): Json[] {
  return [
    when("HasSourceKmsKey", allow("DecryptSource", ["kms:Decrypt"], [ref("SourceKmsKey")])),
    when(
      "HasTargetKmsKey",
      allow("EncryptTarget", ["kms:Decrypt", "kms:GenerateDataKey"], [ref("TargetKmsKey")]),
    ),
  ];
}

/** What both functions need: their log, and where they update rows the network. */
function functionStatements(logGroup: string): Json[] {
  return [
    allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [attribute(logGroup, "Arn")]),
    // EC2 authorises these for any interface; Lambda makes the calls when it places the function in the subnets.
    when(
      "InVpc",
      allow(
        "JoinVpc",
        [
          "ec2:CreateNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:DeleteNetworkInterface",
          "ec2:AssignPrivateIpAddresses",
          "ec2:UnassignPrivateIpAddresses",
        ],
        ["*"],
      ),
    ),
  ];
}

function role(service: string, description: string, statements: readonly Json[]): Resource {
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      Description: description,
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
      },
      Policies: [{ PolicyName: "tranship", PolicyDocument: policy(statements) }],
    },
  };
}

function managedPolicy(description: string, statements: readonly Json[]): Resource {
  return {
    Type: "AWS::IAM::ManagedPolicy",
    Properties: {
      Description: description,
      PolicyDocument: policy(statements),
      Roles: when("HasServiceRole", [ref("ServiceRole")]),
    },
  };
}
