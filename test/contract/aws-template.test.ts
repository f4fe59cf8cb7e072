/** The deployment's template is valid against the published resource specification, which notices what is planted. */

import { describe, expect, it } from "vitest";
import { packageFile } from "../../src/domain/function-package.ts";
import { deploymentTemplate } from "../../src/engines/aws/deployment/template.ts";
import { copyVersionId } from "../../src/engines/aws/deployment/template-functions.ts";
import { cloudFormationFaults, type PlainTemplate } from "../support/aws/cloudformation-faults.ts";

const hashOf = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const packagesOf = (byte: number) => ({
  "copy-object": { sha256: hashOf(byte) },
  "object-landed": { sha256: hashOf(2) },
});
const PACKAGES = packagesOf(1);

/** The template as a file holds it, free to be changed. */
function printed(packages = PACKAGES) {
  return JSON.parse(JSON.stringify(deploymentTemplate(packages))) as PlainTemplate & Record<string, never>;
}

/** A resource's properties, free to be changed. */
function properties(template: PlainTemplate, id: string): Record<string, unknown> {
  return template.Resources[id]!.Properties as Record<string, unknown>;
}

function set(template: PlainTemplate, id: string, values: Record<string, unknown>): void {
  Object.assign(properties(template, id), values);
}

describe("the template", () => {
  it("is valid", () => {
    expect(cloudFormationFaults(printed())).toEqual([]);
  });

  const planted: readonly [string, (template: PlainTemplate) => void, string][] = [
    [
      "a mistyped property",
      (t) => set(t, "CopyFunction", { TimeOut: 60 }),
      "CopyFunction has the unknown property TimeOut",
    ],
    [
      "a mistyped property of a part",
      (t) => set(t, "CopyFunction", { Code: { S3Bucket: "b", S3Kee: "k" } }),
      "CopyFunction.Code has the unknown property S3Kee",
    ],
    [
      "a missing property",
      (t) => void delete properties(t, "CopyRole").AssumeRolePolicyDocument,
      "CopyRole lacks",
    ],
    [
      "a number as a text",
      (t) => set(t, "CopyFunction", { MemorySize: "256" }),
      "CopyFunction.MemorySize is no integer",
    ],
    [
      "a text in place of a list",
      (t) => set(t, "LandedFunction", { Architectures: "arm64" }),
      "LandedFunction.Architectures is no list",
    ],
    [
      "a value that is not allowed",
      (t) => set(t, "CopyLogGroup", { RetentionInDays: 31 }),
      "CopyLogGroup.RetentionInDays is none of",
    ],
    [
      "a reference to nothing",
      (t) => set(t, "CopiedEvents", { FunctionName: { Ref: "Landed" } }),
      "CopiedEvents.FunctionName refers to Landed, which is not there",
    ],
    [
      "a placeholder for nothing",
      (t) => set(t, "CopiedQueue", { QueueName: { "Fn::Sub": ["$", "{Stack}-q"].join("") } }),
      "CopiedQueue.QueueName refers to Stack, which is not there",
    ],
    [
      "an attribute that does not exist",
      (t) => set(t, "CopyFunction", { Role: { "Fn::GetAtt": ["CopyRole", "Name"] } }),
      "AWS::IAM::Role has no attribute Name",
    ],
    [
      "a list in place of a text",
      (t) => set(t, "CopyFunction", { Handler: { Ref: "SubnetIds" } }),
      "CopyFunction.Handler is a list",
    ],
    [
      "a condition that does not exist",
      (t) => void delete (t.Conditions as Record<string, unknown>).InVpc,
      "needs the condition InVpc, which is not there",
    ],
    [
      "an unknown type",
      (t) => void Object.assign(t.Resources.CopyLogs!, { Type: "AWS::DynamoDB::Tabel" }),
      "CopyLogs is of the unknown type AWS::DynamoDB::Tabel",
    ],
    [
      "a circle",
      (t) => set(t, "CopyRole", { Description: { "Fn::GetAtt": ["CopyFunction", "Arn"] } }),
      "CopyFunction refers to itself",
    ],
    [
      "a parameter of no use",
      (t) => void Object.assign(t.Parameters, { Spare: { Type: "String" } }),
      "Spare is not used",
    ],
  ];

  it.each(planted)("with %s is refused", (_, plant, fault) => {
    const template = printed();
    plant(template);
    expect(cloudFormationFaults(template).join("\n")).toContain(fault);
  });
});

describe("the functions", () => {
  it.each(["CopyFunction", "LandedFunction"])(
    "%s runs on arm64 with a current Node and a cheap log",
    (id) => {
      expect(properties(printed(), id)).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        LoggingConfig: { LogFormat: "JSON", SystemLogLevel: "WARN" },
      });
    },
  );

  it("reserve no concurrency unless a parameter asks for it", () => {
    const template = printed();
    expect(template.Parameters.CopyConcurrency?.Default).toBe(0);
    expect(properties(template, "CopyFunction").ReservedConcurrentExecutions).toEqual({
      "Fn::If": ["ReservesConcurrency", { Ref: "CopyConcurrency" }, { Ref: "AWS::NoValue" }],
    });
    expect(properties(template, "LandedFunction")).not.toHaveProperty("ReservedConcurrentExecutions");
  });

  it("have a version that new code replaces and nothing deletes", () => {
    const other = packagesOf(7);
    expect(copyVersionId(other)).not.toBe(copyVersionId(PACKAGES));
    for (const packages of [PACKAGES, other]) {
      const id = copyVersionId(packages);
      const template = printed(packages);
      expect(template.Resources[id]).toMatchObject({
        Type: "AWS::Lambda::Version",
        DeletionPolicy: "Retain",
        UpdateReplacePolicy: "Retain",
        Properties: { CodeSha256: packages["copy-object"].sha256 },
      });
      expect(template.Outputs.CopyFunction?.Value).toEqual({ Ref: id });
      expect(JSON.stringify(properties(template, "CopyFunction").Code)).toContain(
        packageFile("copy-object", packages["copy-object"].sha256),
      );
    }
  });

  it("leave the role of jobs every version, since jobs under way keep theirs", () => {
    expect(JSON.stringify(properties(printed(), "JobRole"))).toContain("{CopyFunction.Arn}:*");
  });
});

describe("the table and the queue", () => {
  it("keep the table whatever becomes of the stack", () => {
    expect(printed().Resources.CopyLogs).toMatchObject({
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "Key", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "Key", AttributeType: "S" }],
      },
    });
  });

  it("give a message time for six invocations, and answers for each message", () => {
    const template = printed();
    const { VisibilityTimeout, RedrivePolicy } = properties(template, "CopiedQueue");
    expect(VisibilityTimeout).toBeGreaterThanOrEqual(
      6 * Number(properties(template, "LandedFunction").Timeout),
    );
    expect(RedrivePolicy).toMatchObject({ deadLetterTargetArn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } });
    expect(properties(template, "CopiedEvents")).toMatchObject({
      BatchSize: 100,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: { Ref: "EventConcurrency" } },
    });
    expect(properties(template, "CopiedEvents").MaximumBatchingWindowInSeconds).toBeGreaterThanOrEqual(1);
  });

  it("warn of dead letters", () => {
    expect(properties(printed(), "DeadLettersAlarm")).toMatchObject({
      MetricName: "ApproximateNumberOfMessagesVisible",
      Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": ["DeadLetters", "QueueName"] } }],
      Threshold: 0,
      ComparisonOperator: "GreaterThanThreshold",
    });
  });
});
