/** The policies of a deployed template, and the policy simulator that judges them. */

import { runSimulation } from "@cloud-copilot/iam-simulate";
import { deploymentTemplate } from "../../../src/engines/aws/deployment/template.ts";
import type { AwsCall, NeededRight } from "./call-rights.ts";
import type { PlainTemplate } from "./cloudformation-faults.ts";
import {
  ACCOUNT,
  type PolicyDocument,
  REGION,
  resolvedResources,
  type Statement,
} from "./resolved-template.ts";

const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key`;
export const NEEDED = {
  CodeBucket: "code",
  SourceBucket: "bucket-a",
  SourcePrefix: "image/",
  TargetBucket: "bucket-b",
  TargetPrefix: "avatar/",
  ManifestsBucket: "ops",
};
export const ALL = {
  ...NEEDED,
  SourceKmsKey: `${KEY}/a`,
  TargetKmsKey: `${KEY}/b`,
  SubnetIds: "subnet-1,subnet-2",
  SecurityGroupIds: "sg-1",
  DatabaseSecret: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:app-1a2b3c`,
  DatabaseName: "app",
};

/** The policy that a key has unless another is written: the account's own policies decide. */
const KEY_POLICY = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: "kms:*",
      Resource: "*",
    },
  ],
};

export type Principal = AwsCall["by"];

export function resourcesOf(parameters: Readonly<Record<string, string>>) {
  const hash = Buffer.alloc(32, 1).toString("base64");
  const packages = { "copy-object": { sha256: hash }, "object-landed": { sha256: hash } };
  const template = JSON.parse(JSON.stringify(deploymentTemplate(packages))) as PlainTemplate;
  return resolvedResources(template, parameters);
}

/** The policies of all principals of a stack with `parameters`. */
export function policiesOf(parameters: Readonly<Record<string, string>>): Record<Principal, PolicyDocument> {
  const resources = resourcesOf(parameters);
  const inline = (id: string) =>
    (resources[id]!.Policies as readonly { readonly PolicyDocument: PolicyDocument }[])[0]!.PolicyDocument;
  const managed = (id: string) => resources[id]!.PolicyDocument as PolicyDocument;
  return {
    service: managed("ServicePolicy"),
    notify: managed("NotifyPolicy"),
    job: inline("JobRole"),
    copy: inline("CopyRole"),
    landed: inline("LandedRole"),
  };
}

export async function isAllowed(
  policy: PolicyDocument,
  { action, resource, context }: NeededRight,
): Promise<boolean> {
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/any`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: { ...context },
      },
      identityPolicies: [{ name: "policy", policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(action.startsWith("kms:") ? { resourcePolicy: KEY_POLICY } : {}),
    },
    {},
  );
  if (answer.resultType === "error") throw new Error(`${action}: ${JSON.stringify(answer.errors)}`);
  return answer.overallResult === "Allowed";
}

const list = (value: string | readonly string[]) => (typeof value === "string" ? [value] : value);

/** Each action on each resource that a policy allows, and the policy without it. */
export function* grantsOf(policy: PolicyDocument) {
  for (const [i, statement] of policy.Statement.entries()) {
    for (const action of list(statement.Action)) {
      for (const resource of list(statement.Resource)) {
        yield {
          name: `${statement.Sid}: ${action} ${resource}`,
          action,
          rest: without(policy, i, action, resource),
        };
      }
    }
  }
}

function without(policy: PolicyDocument, index: number, action: string, resource: string): PolicyDocument {
  const cut = (statement: Statement): readonly Statement[] => {
    const actions = list(statement.Action).filter((one) => one !== action);
    const resources = list(statement.Resource).filter((one) => one !== resource);
    return [
      ...(actions.length > 0 ? [{ ...statement, Action: actions }] : []),
      ...(resources.length > 0 ? [{ ...statement, Action: [action], Resource: resources }] : []),
    ];
  };
  return {
    ...policy,
    Statement: policy.Statement.flatMap((statement, i) => (i === index ? cut(statement) : [statement])),
  };
}
