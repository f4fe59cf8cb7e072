/** Rights of the deployment's principals, judged by a policy simulator for the calls that each of them makes. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { describe, expect, it } from "vitest";
import { type AwsCall, type NeededRight, rightsFor } from "../support/aws/call-rights.ts";
import { ACCOUNT, REGION } from "../support/aws/resolved-template.ts";
import {
  ALL,
  grantsOf,
  isAllowed,
  NEEDED,
  type Principal,
  policiesOf,
  resourcesOf,
} from "../support/aws/simulated-rights.ts";

const ROOT = join(import.meta.dirname, "../..");
const CALLS = JSON.parse(
  readFileSync(join(ROOT, "test/fixtures/aws-calls.json"), "utf8"),
) as readonly AwsCall[];

const POLICIES = policiesOf(ALL);

describe.each(Object.keys(POLICIES) as Principal[])("the policy of %s", (by) => {
  const policy = POLICIES[by];
  const calls = CALLS.filter((call) => call.by === by);
  const rights = calls.flatMap((call) => rightsFor(call).map((right) => ({ call, right })));

  it("allows each call that was made", async () => {
    expect(calls.length).toBeGreaterThan(0);
    const denied: string[] = [];
    for (const { call, right } of rights)
      if (!(await isAllowed(policy, right)))
        denied.push(`${call.operation} needs ${right.action} on ${right.resource}`);
    expect(denied).toEqual([]);
  });

  it("grants nothing that none of them needs", async () => {
    const spare: string[] = [];
    for (const { name, action, rest } of grantsOf(policy)) {
      const asked = rights.filter(({ right }) => right.action === action);
      const allowed = await Promise.all(asked.map(({ right }) => isAllowed(rest, right)));
      if (allowed.every(Boolean)) spare.push(name);
    }
    expect(spare).toEqual([]);
  });

  it("fits where IAM keeps it", () => {
    expect(JSON.stringify(policy).length).toBeLessThan(6144);
  });
});

describe("nothing but the service", () => {
  const objects = [
    "arn:aws:s3:::bucket-a/image/1.jpg",
    "arn:aws:s3:::bucket-b/avatar/1.jpg",
    "arn:aws:s3:::ops/tranship/01job/1/manifest.csv",
  ];
  const deletions = objects.flatMap((resource) =>
    ["s3:DeleteObject", "s3:DeleteObjectVersion"].map((action) => ({ action, resource })),
  );
  const buckets = ["bucket-a", "bucket-b", "ops"].flatMap((bucket) =>
    ["s3:PutLifecycleConfiguration", "s3:DeleteBucket", "s3:PutBucketPolicy"].map((action) => ({
      action,
      resource: `arn:aws:s3:::${bucket}`,
    })),
  );

  it.each(["job", "copy", "landed", "notify"] as const)("deletes objects: not %s", async (by) => {
    for (const right of [...deletions, ...buckets])
      expect([right, await isAllowed(POLICIES[by], right)]).toEqual([right, false]);
  });

  it("deletes sources", async () => {
    expect(await isAllowed(POLICIES.service, deletions[0]!)).toBe(true);
  });
});

describe("what is out of bounds is denied", () => {
  const beyond: readonly [Principal, NeededRight][] = [
    ["copy", { action: "s3:PutObject", resource: "arn:aws:s3:::bucket-a/image/1.jpg" }],
    ["copy", { action: "s3:PutObject", resource: "arn:aws:s3:::bucket-b/other/1.jpg" }],
    ["copy", { action: "s3:GetObject", resource: "arn:aws:s3:::bucket-a/secret/1.jpg" }],
    [
      "copy",
      { action: "dynamodb:DeleteItem", resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/Copy_Logs` },
    ],
    ["job", { action: "s3:PutObject", resource: "arn:aws:s3:::ops/tranship/01job/1/manifest.csv" }],
    ["job", { action: "s3:PutObject", resource: "arn:aws:s3:::bucket-b/avatar/1.jpg" }],
    [
      "job",
      { action: "lambda:InvokeFunction", resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:other:1` },
    ],
    ["landed", { action: "s3:GetObject", resource: "arn:aws:s3:::bucket-b/avatar/1.jpg" }],
    ["service", { action: "s3:DeleteObject", resource: "arn:aws:s3:::bucket-a/other/1.jpg" }],
    ["service", { action: "s3:DeleteObject", resource: "arn:aws:s3:::ops/other/1.csv" }],
    ["service", { action: "s3:PutBucketNotification", resource: "arn:aws:s3:::bucket-b" }],
    ["service", { action: "iam:PassRole", resource: `arn:aws:iam::${ACCOUNT}:role/other` }],
    [
      "service",
      {
        action: "s3:CreateJob",
        resource: "*",
        context: { "s3:RequestJobOperation": "S3PutObjectCopy" },
      },
    ],
  ];

  it.each(beyond)("%s: %j", async (by, right) => {
    expect(await isAllowed(POLICIES[by], right)).toBe(false);
  });

  it("keys, secrets and networks that were not given are in no policy", () => {
    const text = JSON.stringify(policiesOf(NEEDED));
    for (const service of ["kms:", "secretsmanager:", "ec2:"]) expect(text).not.toContain(service);
  });
});

describe("the queue", () => {
  const resources = resourcesOf(NEEDED);

  async function maySend(bucket: string, account: string): Promise<boolean> {
    const answer = await runSimulation(
      {
        request: {
          principal: "s3.amazonaws.com",
          action: "sqs:SendMessage",
          resource: { resource: `arn:aws:sqs:${REGION}:${ACCOUNT}:tranship-copied`, accountId: ACCOUNT },
          contextVariables: { "aws:SourceArn": `arn:aws:s3:::${bucket}`, "aws:SourceAccount": account },
        },
        identityPolicies: [],
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        resourcePolicy: resources.CopiedQueuePolicy!.PolicyDocument,
      },
      {},
    );
    if (answer.resultType === "error") throw new Error(JSON.stringify(answer.errors));
    return answer.overallResult === "Allowed";
  }

  it("takes events of the target bucket, and of no other bucket or account", async () => {
    expect(await maySend("bucket-b", ACCOUNT)).toBe(true);
    expect(await maySend("bucket-c", ACCOUNT)).toBe(false);
    expect(await maySend("bucket-b", "210987654321")).toBe(false);
  });

  it.each([
    ["JobRole", "batchoperations.s3.amazonaws.com"],
    ["CopyRole", "lambda.amazonaws.com"],
    ["LandedRole", "lambda.amazonaws.com"],
  ])("and %s is assumed by %s alone", (id, service) => {
    expect(resources[id]!.AssumeRolePolicyDocument).toEqual({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
    });
  });
});

describe("the simulator", () => {
  it("is for tests only: its licence is not the product's", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(devDependencies).toHaveProperty("@cloud-copilot/iam-simulate");
    expect(Object.keys(dependencies).filter((name) => name.startsWith("@cloud-copilot/"))).toEqual([]);
    for (const folder of ["src", "migrations"])
      for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }))
        if (file.endsWith(".ts"))
          expect([file, readFileSync(join(ROOT, folder, file), "utf8").includes("cloud-copilot")]).toEqual([
            file,
            false,
          ]);
  });
});

describe("the recorded calls", () => {
  const CLIENTS: Readonly<Record<string, string>> = {
    "client-s3": "s3",
    "client-s3-control": "s3-control",
    "client-lambda": "lambda",
    "client-dynamodb": "dynamodb",
    "client-sqs": "sqs",
  };
  /** The operations that the sources under `folder` name by importing their commands. */
  function operationsIn(folder: string): readonly string[] {
    const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
    const found = files
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => {
        const source = readFileSync(join(ROOT, folder, file), "utf8");
        return [...source.matchAll(/import (?:type )?\{([^}]*)\} from "@aws-sdk\/(client-[\w-]+)"/g)].flatMap(
          ([, names = "", client = ""]) =>
            [...names.matchAll(/(?<!type )\b(\w+)Command\b(?!\w)/g)].map(
              ([, name]) => `${CLIENTS[client] ?? client}:${name}`,
            ),
        );
      });
    return [...new Set(found)].sort();
  }

  it("have each command that the sources name", () => {
    const recorded = new Set(CALLS.map(({ operation }) => operation));
    const named = operationsIn("src");
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((operation) => !recorded.has(operation))).toEqual([]);
  });

  it("of this program's clients are of commands that the sources name", () => {
    const named = new Set(operationsIn("src"));
    // Lambda and S3 make the other calls with the roles that they are given.
    const own = CALLS.filter(
      ({ by, operation }) => by !== "job" && /^(s3|s3-control|lambda|dynamodb):/.test(operation),
    );
    expect(own.map(({ operation }) => operation).filter((operation) => !named.has(operation))).toEqual([]);
  });
});
