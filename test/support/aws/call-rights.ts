/** The rights that a call to AWS needs, by the service authorization reference: actions, resources and condition keys. */

import { ACCOUNT, REGION } from "./resolved-template.ts";

/** A call as a client sends it: `operation` is `service:Operation`, `input` the SDK command's. */
export interface AwsCall {
  readonly by: "service" | "notify" | "job" | "copy" | "landed";
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface NeededRight {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

type Input = Readonly<Record<string, unknown>>;
type Rights = (input: Input) => readonly NeededRight[];

const text = (value: unknown) => (typeof value === "string" ? value : "");
const bucketArn = (bucket: unknown) => `arn:aws:s3:::${text(bucket)}`;
const objectArn = ({ Bucket, Key }: Input) => `${bucketArn(Bucket)}/${text(Key)}`;
const tableArn = (name: unknown) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${text(name)}`;
const functionArn = (name: unknown) =>
  text(name).startsWith("arn:") ? text(name) : `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${text(name)}`;

const onObject =
  (...actions: readonly string[]): Rights =>
  (input) =>
    actions.map((action) => ({ action, resource: objectArn(input) }));
const onBucket =
  (action: string): Rights =>
  ({ Bucket }) => [{ action, resource: bucketArn(Bucket) }];
const onFunction =
  (action: string): Rights =>
  ({ FunctionName }) => [{ action, resource: functionArn(FunctionName) }];
const onTable =
  (action: string): Rights =>
  ({ TableName }) => [{ action, resource: tableArn(TableName) }];
const onTables =
  (action: string): Rights =>
  ({ RequestItems }) =>
    Object.keys((RequestItems ?? {}) as Input).map((name) => ({ action, resource: tableArn(name) }));
const onJob =
  (action: string): Rights =>
  ({ JobId }) => [{ action, resource: `arn:aws:s3:${REGION}:${ACCOUNT}:job/${text(JobId)}` }];
/** The resource's ARN stands in the input. */
const onArn =
  (action: string): Rights =>
  ({ Arn }) => [{ action, resource: text(Arn) }];
const anywhere =
  (action: string): Rights =>
  () => [{ action, resource: "*" }];

/** The tags of an object are copied with it. */
const copied: Rights = ({ CopySource }) => {
  const source = decodeURIComponent(text(CopySource).split("?")[0] ?? "");
  return ["s3:GetObject", "s3:GetObjectTagging"].map((action) => ({
    action,
    resource: `arn:aws:s3:::${source}`,
  }));
};

const RIGHTS: Readonly<Record<string, Rights>> = {
  "s3:ListObjectsV2": onBucket("s3:ListBucket"),
  "s3:ListObjectVersions": onBucket("s3:ListBucketVersions"),
  "s3:ListMultipartUploads": onBucket("s3:ListBucketMultipartUploads"),
  // Without the right the answer is a refusal of an account that has been authenticated, which is all that is asked.
  "s3:ListBuckets": () => [],
  "s3:HeadBucket": onBucket("s3:ListBucket"),
  "s3:GetBucketVersioning": onBucket("s3:GetBucketVersioning"),
  "s3:GetBucketEncryption": onBucket("s3:GetEncryptionConfiguration"),
  "s3:GetBucketPolicy": onBucket("s3:GetBucketPolicy"),
  "s3:GetBucketNotificationConfiguration": onBucket("s3:GetBucketNotification"),
  "s3:PutBucketNotificationConfiguration": onBucket("s3:PutBucketNotification"),
  // An object that is not there is told as such to those who may list the bucket.
  "s3:HeadObject": (input) => [...onObject("s3:GetObject")(input), ...onBucket("s3:ListBucket")(input)],
  "s3:GetObject": onObject("s3:GetObject"),
  "s3:GetObjectAcl": onObject("s3:GetObjectAcl"),
  "s3:GetObjectTagging": onObject("s3:GetObjectTagging"),
  "s3:PutObject": onObject("s3:PutObject"),
  "s3:PutObjectTagging": onObject("s3:PutObjectTagging"),
  "s3:CopyObject": (input) => [
    ...onObject("s3:PutObject", "s3:PutObjectTagging")(input),
    ...copied(input),
    // Where the source is missing.
    {
      action: "s3:ListBucket",
      resource: bucketArn(decodeURIComponent(text(input.CopySource)).split("/")[0]),
    },
  ],
  "s3:CreateMultipartUpload": (input) =>
    onObject("s3:PutObject", ...("Tagging" in input ? ["s3:PutObjectTagging"] : []))(input),
  "s3:UploadPart": onObject("s3:PutObject"),
  "s3:UploadPartCopy": (input) => [...onObject("s3:PutObject")(input), ...copied(input).slice(0, 1)],
  "s3:CompleteMultipartUpload": onObject("s3:PutObject"),
  "s3:AbortMultipartUpload": onObject("s3:AbortMultipartUpload"),
  "s3:DeleteObject": (input) =>
    onObject("VersionId" in input ? "s3:DeleteObjectVersion" : "s3:DeleteObject")(input),
  "s3:DeleteObjects": ({ Bucket, Delete }) =>
    ((Delete as { readonly Objects: readonly Input[] }).Objects ?? []).map(({ Key }) => ({
      action: "s3:DeleteObject",
      resource: objectArn({ Bucket, Key }),
    })),
  "s3-control:CreateJob": ({ Operation, RoleArn }) => [
    {
      action: "s3:CreateJob",
      resource: "*",
      context: { "s3:RequestJobOperation": Object.keys((Operation ?? {}) as Input)[0] ?? "" },
    },
    { action: "iam:PassRole", resource: text(RoleArn) },
  ],
  "s3-control:DescribeJob": onJob("s3:DescribeJob"),
  "s3-control:UpdateJobStatus": onJob("s3:UpdateJobStatus"),
  "s3-control:ListJobs": anywhere("s3:ListJobs"),
  "lambda:Invoke": onFunction("lambda:InvokeFunction"),
  "lambda:GetFunctionConfiguration": onFunction("lambda:GetFunctionConfiguration"),
  "lambda:GetAccountSettings": anywhere("lambda:GetAccountSettings"),
  "lambda:ListEventSourceMappings": anywhere("lambda:ListEventSourceMappings"),
  "dynamodb:UpdateItem": onTable("dynamodb:UpdateItem"),
  "dynamodb:GetItem": onTable("dynamodb:GetItem"),
  "dynamodb:DeleteItem": onTable("dynamodb:DeleteItem"),
  "dynamodb:DescribeTable": onTable("dynamodb:DescribeTable"),
  "dynamodb:Scan": onTable("dynamodb:Scan"),
  "dynamodb:BatchGetItem": onTables("dynamodb:BatchGetItem"),
  "dynamodb:BatchWriteItem": onTables("dynamodb:BatchWriteItem"),
  "sqs:ReceiveMessage": onArn("sqs:ReceiveMessage"),
  "sqs:DeleteMessageBatch": onArn("sqs:DeleteMessage"),
  "sqs:GetQueueAttributes": onArn("sqs:GetQueueAttributes"),
  "logs:CreateLogStream": onArn("logs:CreateLogStream"),
  "logs:PutLogEvents": onArn("logs:PutLogEvents"),
  "kms:Decrypt": onArn("kms:Decrypt"),
  "kms:GenerateDataKey": onArn("kms:GenerateDataKey"),
  ...Object.fromEntries(
    [
      "CreateNetworkInterface",
      "DescribeNetworkInterfaces",
      "DescribeSubnets",
      "DeleteNetworkInterface",
      "AssignPrivateIpAddresses",
      "UnassignPrivateIpAddresses",
    ].map((name) => [`ec2:${name}`, anywhere(`ec2:${name}`)]),
  ),
};

/** The rights for `call`; throws for an operation that is not listed here. */
export function rightsFor({ operation, input }: AwsCall): readonly NeededRight[] {
  const rights = RIGHTS[operation];
  if (rights === undefined) throw new Error(`which rights does ${operation} need?`);
  return rights(input);
}
